using System.Globalization;
using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Merging;

/// <summary>
/// Runs of many tasks joined: for each pass the tasks' throughputs together, and how that compares with as many times the throughput of a
/// task of the smallest run among the files (of one task, as a rule).
/// </summary>
internal sealed record MergedRun
{
    public int Format { get; init; } = RunResult.CurrentFormat;

    public string Version { get; init; } = "";

    public IReadOnlyList<Run> Runs { get; init; } = [];

    public IReadOnlyList<Throughput> Records { get; init; } = [];

    /// <summary>One group of tasks that ran together.</summary>
    /// <param name="Group">Its name.</param>
    /// <param name="Tasks">Files.</param>
    /// <param name="Nodes">Host names.</param>
    /// <param name="Hosts">Of each task.</param>
    public sealed record Run(string Group, int Tasks, int Nodes, IReadOnlyList<HostFacts> Hosts);

    /// <summary>One pass of one run.</summary>
    /// <param name="Benchmark">Name.</param>
    /// <param name="Case">Its parameters.</param>
    /// <param name="Side">Which side.</param>
    /// <param name="Pass">Which pass.</param>
    /// <param name="Unit">Of the throughput, a second.</param>
    /// <param name="Group">Which run.</param>
    /// <param name="Tasks">Of the run.</param>
    /// <param name="Nodes">Of the run.</param>
    /// <param name="Sum">Throughput of all tasks together, from their medians.</param>
    /// <param name="Slowest">Of the slowest task.</param>
    /// <param name="Efficiency">Sum over tasks times that of a task of the smallest run; null: this is the smallest, and of several tasks.</param>
    public sealed record Throughput(string Benchmark, string Case, string Side, string Pass, string Unit, string Group, int Tasks, int Nodes,
        double Sum, double Slowest, double? Efficiency);

    /// <exception cref="InputException">Results of different versions, or of different cases.</exception>
    public static MergedRun Of(IReadOnlyList<(string File, RunResult Result)> files)
    {
        (string firstFile, RunResult first) = files[0];
        var expected = Keys(first);
        foreach ((string file, RunResult result) in files)
        {
            if (result.Version != first.Version) throw new InputException(file, $"version {result.Version}", $"{first.Version}, as {firstFile} has");
            var keys = Keys(result);
            if (keys.SetEquals(expected)) continue;
            string odd = keys.Except(expected).Concat(expected.Except(keys)).First();
            throw new InputException(file, $"not the cases of {firstFile}: only one of them has '{odd}'", "runs of one command");
        }
        Run[] runs = [.. files.GroupBy(f => f.Result.Group).Select(g => new Run(
            g.Key, g.Count(), g.Select(f => f.Result.Host.HostName).Distinct().Count(), [.. g.Select(f => f.Result.Host)]))
            .OrderBy(r => r.Tasks).ThenBy(r => r.Nodes)];
        var throughputs = new List<Throughput>();
        foreach (Measurement sample in first.Records.Where(r => r.Items > 0).DistinctBy(Key))
        {
            double? perTask = null;
            foreach (Run run in runs)
            {
                double[] rates = [.. files.Where(f => f.Result.Group == run.Group).Select(f => f.Result.Records.Last(r => Key(r) == Key(sample)).ItemsPerSecond)];
                // Tasks that ran together may hold each other up: what one of many does is no reference.
                double? efficiency = perTask is { } one ? rates.Sum() / (run.Tasks * one) : run.Tasks == 1 ? 1 : null;
                if (run.Tasks == runs[0].Tasks) perTask ??= rates.Average();
                throughputs.Add(new Throughput(sample.Benchmark, sample.Case, sample.Side, sample.Pass, sample.Unit, run.Group, run.Tasks, run.Nodes,
                    rates.Sum(), rates.Min(), efficiency));
            }
        }
        return new MergedRun { Version = first.Version, Runs = runs, Records = throughputs };
    }

    public IEnumerable<string> Lines()
    {
        foreach (Run run in Runs) yield return $"run {run.Group}: {run.Tasks} tasks on {run.Nodes} nodes";
        if (Runs[0].Tasks > 1) yield return $"no run of one task here: efficiencies are against a task of run {Runs[0].Group}";
        foreach (Throughput t in Records)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{t.Benchmark}, {t.Case}, {t.Side}, {t.Pass}: {t.Nodes} nodes x {t.Sum / t.Nodes:G4} {t.Unit}/s = {t.Sum:G4} {t.Unit}/s by {t.Tasks} tasks, ")
                + (t.Efficiency is { } e ? string.Create(CultureInfo.InvariantCulture, $"efficiency {100 * e:F1} %") : "efficiency unknown");
        }
    }

    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, RunResult.Json) + "\n");

    private static HashSet<string> Keys(RunResult result) => [.. result.Records.Select(Key)];

    private static string Key(Measurement m) => $"{m.Benchmark}, {m.Case}, {m.Side}, {m.Pass}";
}
