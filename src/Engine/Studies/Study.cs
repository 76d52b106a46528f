using System.Diagnostics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;

namespace ChemScale.Engine.Studies;

/// <summary>
/// Molecules and frames to fitted scaling laws: for each family prepare, select hyperparameters by training performance estimation, train a
/// grid of models and data sizes, fit; then one report. Everything lies below one folder; the same call goes on where an interrupted one
/// stopped.
/// </summary>
public static class Study
{
    /// <param name="plan">What to run.</param>
    /// <param name="directory">Receives a folder for each part, study.yaml, report.html and summary.json.</param>
    /// <param name="command">The command line, for the report.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public static StudySummary Run(StudyPlan plan, string directory, string command, StudyObserver observer, CancellationToken stop = default)
    {
        plan.Check();
        var watch = Stopwatch.StartNew();
        DateTimeOffset started = DateTimeOffset.Now;
        var file = new StudyFile(plan.Parts, []);
        file.Write(directory);
        var trainer = StudyTrainer.Of(plan.Parallel, plan.Workers, observer);
        StudyPart[] parts = [.. plan.Parts.Select(part => StudyPartRun.Run(part, Path.Combine(directory, part.Name), trainer, observer, plan.Notes, stop))];
        file.Write(directory);
        var summary = new StudySummary
        {
            Title = $"Neural scaling of {string.Join(" and ", parts.Select(p => p.Family))}",
            Command = command,
            Started = started,
            Seconds = watch.Elapsed.TotalSeconds,
            Host = Host(),
            Parts = parts,
        };
        StudyReport.Write(summary, directory, DiskStorage.Shared, stop);
        return summary with { Seconds = watch.Elapsed.TotalSeconds };
    }

    internal static HostFacts Host() => new(
        RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, ProcessorBudget.Count, "CPU",
        typeof(Study).Assembly.GetName().Version?.ToString(3) ?? "");
}

/// <summary>What a study runs: one part for each family of models, one after another.</summary>
public sealed record StudyPlan
{
    public required IReadOnlyList<StudyPartPlan> Parts { get; init; }

    /// <summary>Runs side by side; 0: one for each thread of <see cref="ProcessorBudget"/>.</summary>
    public int Parallel { get; init; }

    /// <summary>Works off a plan in processes of their own, and returns when nothing is left; null: the runs are trained in this process.</summary>
    public Action<SweepPlan, CancellationToken>? Workers { get; init; }

    /// <summary>Commands that go on from a finished part, for the report. What commands there are is the caller's.</summary>
    public Func<FinishedPart, IReadOnlyList<CommandNote>> Notes { get; init; } = static _ => [];

    /// <exception cref="InputException">No parts, two of one name, or sizes that do not fit together.</exception>
    public void Check()
    {
        if (Parts.Count == 0) throw new InputException("study", "no parts", "molecules, force fields or both");
        if (Parallel < 0) throw new InputException("parallel", $"{Parallel}", "1 or more");
        if (Parts.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InputException("study", $"{twice.Key} twice", "each family once", "a study as a file can hold parts of one family under names of their own, `name`");
        foreach (StudyPartPlan part in Parts) part.Check();
    }
}
