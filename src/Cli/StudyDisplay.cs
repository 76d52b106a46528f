using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Cli;

/// <summary>Stages and the runs in progress, on standard error: one line rewritten in place on a terminal, plain lines elsewhere.</summary>
internal sealed class StudyDisplay : IProgress<RunProgress>, IDisposable
{
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly PreparationDisplay preparation = new();
    private readonly Lock gate = new();
    private readonly bool live = !Console.IsErrorRedirected;
    private readonly Dictionary<string, RunProgress> latest = [];
    private readonly HashSet<string> finished = [];
    private long lastShown;
    private bool open;

    public StudyDisplay() => Observer = new StudyObserver
    {
        Begin = Stage,
        Say = Line,
        Warn = message => Line("warning: " + message),
        Preparation = preparation,
        Steps = this,
    };

    public StudyObserver Observer { get; }

    public void Report(RunProgress value)
    {
        lock (gate)
        {
            if (value.Ended)
            {
                finished.Add(value.Run.Name);
                latest.Remove(value.Run.Name);
                return;
            }
            // A probe may go on.
            finished.Remove(value.Run.Name);
            latest[value.Run.Name] = value;
            TimeSpan period = live ? TimeSpan.FromMilliseconds(150) : TimeSpan.FromSeconds(10);
            if (Stopwatch.GetElapsedTime(lastShown) < period) return;
            lastShown = Stopwatch.GetTimestamp();
            IEnumerable<RunProgress> active = latest.Values.OrderByDescending(r => r.Step.Seconds).Take(2);
            string text = $"[{watch.Elapsed:mm\\:ss}] {finished.Count} done; " + string.Join("; ", active.Select(r =>
                $"{r.Run.Name} {r.Step.Step}/{r.Step.TotalSteps} loss {OneLine.Number(r.Step.Loss, 3)} {r.Step.ItemsPerSecond:N0} {r.Step.ItemName}/s"));
            if (live) Console.Error.Write("\r\x1b[2K" + Cut(text));
            else Console.Error.WriteLine(text);
            open = live;
        }
    }

    public void Close()
    {
        lock (gate)
        {
            if (open) Console.Error.WriteLine();
            open = false;
        }
    }

    public void Dispose()
    {
        preparation.Dispose();
        Close();
    }

    private void Stage(string text)
    {
        preparation.Dispose();
        lock (gate)
        {
            latest.Clear();
            finished.Clear();
        }
        Line($"[{watch.Elapsed:mm\\:ss}] {text}");
    }

    private void Line(string text)
    {
        Close();
        lock (gate) Console.Error.WriteLine(text);
    }

    private static string Cut(string text)
    {
        int width = Math.Max(40, Console.WindowWidth - 1);
        return text.Length > width ? text[..width] : text;
    }
}

/// <summary>What a selection decided, as a table for a terminal.</summary>
internal static class SelectionTable
{
    public static void Print(SelectionSummary summary, bool json)
    {
        if (json)
        {
            Output.Json(summary);
            return;
        }
        Console.WriteLine($"{"learning rate",13} {"batch",6} {"fate",-9} {summary.Estimator,10} {"predicted",10} {"95 % interval",21} {"final",10}");
        foreach (ConfigurationOutcome c in summary.Configurations.OrderBy(c => c.Estimate ?? double.PositiveInfinity))
        {
            string interval = $"{Number(c.PredictedLow)}..{Number(c.PredictedHigh)}";
            Console.WriteLine($"{c.LearningRate,13:G3} {c.BatchSize,6} {c.Fate.ToString().ToLowerInvariant(),-9} {Number(c.Estimate),10} {Number(c.Predicted),10} {interval,21} {Number(c.Final),10}"
                + (c.IsDefault ? "  Hugging Face's default" : ""));
        }
        ConfigurationOutcome best = summary.Configurations[summary.Selected];
        Console.WriteLine($"selected: learning rate {best.LearningRate:G3}, batch size {best.BatchSize}; {OneLine.Percent(summary.ComputeSaved, 1)} of the training steps saved "
            + $"by probing {summary.Configurations.Count} for {summary.ProbeEpochs} of {summary.FullEpochs} epochs");
        foreach (string caution in summary.Cautions) Console.WriteLine("caution: " + caution);
        if (summary.Validated)
            Console.WriteLine($"finished all: R2 {Number(summary.R2)}, Spearman rho {Number(summary.Spearman)}, regret {Number(summary.Regret)}; "
                + $"within 20 % of the best: R2 {Number(summary.R2NearBest)}, rho {Number(summary.SpearmanNearBest)}; "
                + $"{summary.WithinInterval?.ToString(CultureInfo.InvariantCulture) ?? "-"} of {summary.Finished} within their 95 % intervals (R2: each predicted from the others)");
    }

    public static string Number(double? value) => OneLine.Number(value, 4);
}
