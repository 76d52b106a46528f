using ChemScale.Engine.Studies.Parts;

namespace ChemScale.Engine.Studies;

/// <summary>What a study runs: one part for each family of models, one after another.</summary>
public sealed record StudyPlan
{
    public required IReadOnlyList<StudyPartPlan> Parts { get; init; }

    /// <summary>Runs side by side; 0: one for each core.</summary>
    public int Parallel { get; init; }

    /// <exception cref="InputException">No parts, a family twice, or sizes that do not fit together.</exception>
    public void Check()
    {
        if (Parts.Count == 0) throw new InputException("study", "no parts", "molecules, force fields or both");
        if (Parallel < 0) throw new InputException("--parallel", $"{Parallel}", "1 or more");
        if (Parts.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InputException("study", $"{twice.Key} twice", "each family once");
        foreach (StudyPartPlan part in Parts) part.Check();
    }
}
