using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies;

/// <summary>What a study runs: one part for each family of models, one after another.</summary>
public sealed record StudyPlan
{
    public required IReadOnlyList<StudyPartPlan> Parts { get; init; }

    /// <summary>Runs side by side; 0: one for each core.</summary>
    public int Parallel { get; init; }

    /// <summary>Commands that go on from a part, for the report: of a plan, its folder and its store. What commands there are is the caller's.</summary>
    public Func<StudyPartPlan, string, string, IReadOnlyList<CommandNote>> Notes { get; init; } = static (_, _, _) => [];

    /// <exception cref="InputException">No parts, a family twice, or sizes that do not fit together.</exception>
    public void Check()
    {
        if (Parts.Count == 0) throw new InputException("study", "no parts", "molecules, force fields or both");
        if (Parallel < 0) throw new InputException("parallel", $"{Parallel}", "1 or more");
        if (Parts.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InputException("study", $"{twice.Key} twice", "each family once");
        foreach (StudyPartPlan part in Parts) part.Check();
    }
}
