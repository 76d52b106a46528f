using System.Diagnostics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies;

/// <summary>
/// Molecules and frames to fitted scaling laws: for each family prepare, select hyperparameters by training performance estimation, train a
/// grid of models and data sizes, fit; then one report. Everything lies below one folder; the same call goes on where an interrupted one
/// stopped.
/// </summary>
public static class Study
{
    /// <param name="plan">What to run.</param>
    /// <param name="directory">Receives a folder for each part, report.html and summary.json.</param>
    /// <param name="command">The command line, for the report.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public static StudySummary Run(StudyPlan plan, string directory, string command, StudyObserver observer, CancellationToken stop = default)
    {
        plan.Check();
        var watch = Stopwatch.StartNew();
        DateTimeOffset started = DateTimeOffset.Now;
        int parallel = plan.Parallel > 0 ? plan.Parallel : Environment.ProcessorCount;
        var runner = new LocalRunner { Parallel = parallel, ThreadsPerRun = 1, Progress = observer.Steps, Warn = observer.Warn };
        StudyPart[] parts = [.. plan.Parts.Select(part => StudyPartRun.Run(part, Path.Combine(directory, part.Name), runner, observer, plan.Notes, stop))];
        var summary = new StudySummary
        {
            Title = $"Neural scaling of {string.Join(" and ", parts.Select(p => p.Family))}",
            Command = command,
            Started = started,
            Seconds = watch.Elapsed.TotalSeconds,
            Host = Host(),
            Parts = parts,
        };
        StudyReport.Write(summary, directory);
        return summary with { Seconds = watch.Elapsed.TotalSeconds };
    }

    private static HostFacts Host() => new(
        RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, Environment.ProcessorCount, "CPU",
        typeof(Study).Assembly.GetName().Version?.ToString(3) ?? "");
}
