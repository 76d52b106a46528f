using System.Globalization;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Numerics;
using CommandLine;

namespace ChemScale.Perf.Commands;

/// <summary>Which early figure ranks configurations by their final loss: on curves that `perf curves` recorded.</summary>
[Verb("estimators", HelpText = "Compare estimators on recorded searches, all at the cost of ten of fifty epochs; intervals are of a bootstrap of seeds and configurations.")]
internal sealed class EstimatorsVerb : Verb
{
    private const int Epochs = 50, Probe = 10;
    private const string ProbeBranch = "8+2", WholeBranch = "40+10";

    private static readonly (string Name, Func<Recorded, double> Of)[] Estimators =
    [
        .. ((ProbeEstimator[])[ProbeEstimator.Tse, ProbeEstimator.TseE, ProbeEstimator.TseEma, ProbeEstimator.Lcga, ProbeEstimator.PowerLaw])
            .Select(e => (e.Name(), (Func<Recorded, double>)(run => e.Of(run.View())))),
        ("last two epochs", run => run.Diverged(Probe) ? double.PositiveInfinity : run.Training.Take(Probe).TakeLast(2).Average()),
        ("averaged weights, validation", run => run.Diverged(Probe) ? double.PositiveInfinity : run.Validation[Probe - 1]),
        ("power law of that", run => run.Diverged(Probe) ? double.PositiveInfinity : ProbeEstimator.PowerLaw.Of(Recorded.ViewOf(run.Name, run.Validation))),
        (ProbeEstimator.Annealed.Name(), run => run.Cooled.Count > 0 ? run.Cooled[^1].Training : double.PositiveInfinity),
        ("annealed, last epoch", run => run.Cooled.Count > 1 ? (run.Cooled[^1].Training + run.Cooled[^2].Training) / 2 : double.PositiveInfinity),
        ("annealed, validation", run => run.Cooled.Count > 0 ? run.Cooled[^1].Validation : double.PositiveInfinity),
    ];

    private static readonly (string Name, Func<Recorded, double> Of)[] Targets =
    [
        ("training loss of the last of 50 epochs at one rate", run => run.Diverged(Epochs) ? double.PositiveInfinity : run.Training[^1]),
        ("training loss at the end of 40 epochs at one rate and 10 that cool", run => run.ToTheEnd.Count > 0 ? run.ToTheEnd[^1].Training : double.PositiveInfinity),
        ("validation loss at the end of these", run => run.ToTheEnd.Count > 0 ? run.ToTheEnd[^1].Validation : double.PositiveInfinity),
    ];

    [Value(0, MetaName = "CSV...", Required = true, HelpText = "Files of `perf curves`.")]
    public IEnumerable<string> Files { get; set; } = [];

    public override int Run(string[] arguments)
    {
        var all = Targets.ToDictionary(t => t.Name, _ => new List<EstimatorComparison>());
        ulong stream = 42;
        foreach (string file in Files)
        {
            IGrouping<long, Recorded>[] searches = [.. Recorded.Read(file).GroupBy(r => r.Seed)];
            int configurations = searches.Min(s => s.Count());
            searches = [.. searches.Where(s => s.Count() == searches.Max(o => o.Count()))];
            foreach ((string target, Func<Recorded, double> final) in Targets)
            {
                var comparison = EstimatorComparison.Of([.. Estimators.Select(e => e.Name)], [.. searches.Select(search =>
                    new EstimatorTrial([.. search.Select(final)], [.. Estimators.Select(e => (IReadOnlyList<double>)[.. search.Select(e.Of)])]))], seed: stream);
                all[target].Add(comparison);
                Print(Path.GetFileNameWithoutExtension(file), target, searches.Length, configurations, comparison);
            }
            // Sets are independent, and so are their resamples.
            stream++;
        }
        foreach ((string target, List<EstimatorComparison> sets) in all.Where(a => a.Value.Count > 1))
        {
            Console.WriteLine($"\nall {sets.Count} sets, each counting the same; {target}\n");
            Print(EstimatorComparison.Together(sets));
        }
        return 0;
    }

    private static void Print(string set, string target, int seeds, int configurations, EstimatorComparison comparison)
    {
        Console.WriteLine($"\n{set}, {configurations} configurations, {seeds} {(seeds == 1 ? "seed" : "seeds")}; {target}; "
            + $"it varies over seeds by {Percent(comparison.Noise)} (standard deviation)\n");
        Print(comparison);
    }

    private static void Print(EstimatorComparison comparison)
    {
        Console.WriteLine("| estimator | rho | 95 % | less tse's | regret | worst | best among the first 1, 2, 3 |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (EstimatorRow row in comparison.Rows.Concat(comparison.Ceiling is { } ceiling ? [ceiling] : []))
        {
            Console.WriteLine($"| {row.Name} | {Number(row.Spearman)} | {Interval(row.Interval)} | {Interval(row.Difference)} | {Percent(row.Regret)} | {Percent(row.WorstRegret)} | "
                + $"{string.Join(", ", row.BestAmong.Select(share => share.ToString("0.##", CultureInfo.InvariantCulture)))} |");
        }
    }

    private static string Number(double? value) => value?.ToString("F3", CultureInfo.InvariantCulture) ?? "-";

    private static string Interval(ConfidenceInterval? interval) => interval is { } i ? $"{Number(i.Low)} to {Number(i.High)}" : "-";

    private static string Percent(double? log) => log is { } value ? (100 * (Math.Exp(value) - 1)).ToString("F1", CultureInfo.InvariantCulture) + " %" : "-";

    /// <summary>One configuration with one seed.</summary>
    /// <param name="Seed">Of weights and order.</param>
    /// <param name="Name">Rate and batch.</param>
    /// <param name="Training">Of each epoch.</param>
    /// <param name="Validation">Of averaged weights, after each epoch.</param>
    /// <param name="Cooled">Halves of the epochs after the probe's branch began.</param>
    /// <param name="ToTheEnd">Of the whole run's.</param>
    private sealed record Recorded(long Seed, string Name, IReadOnlyList<double> Training, IReadOnlyList<double> Validation,
        IReadOnlyList<(double Training, double Validation)> Cooled, IReadOnlyList<(double Training, double Validation)> ToTheEnd)
    {
        public bool Diverged(int epochs) => Training.Count < epochs || Training.Take(epochs).Any(loss => !double.IsFinite(loss));

        public ProbeView View() => ViewOf(Name, Training);

        public static ProbeView ViewOf(string name, IReadOnlyList<double> losses) =>
            ProbeView.Of(new LossCurve(name, [], [.. losses.Take(Probe).Select((loss, i) => new EpochLoss(i, 1, loss))]), Probe / (double)Epochs, Epochs);

        public static IEnumerable<Recorded> Read(string path)
        {
            var table = CsvTable.Read(path);
            int seed = table.Column("seed"), rate = table.Column("learning_rate"), batch = table.Column("batch"), branch = table.Column("branch");
            int training = table.Column("train_loss"), validation = table.Column("val_loss");
            foreach (IGrouping<string, int> run in Enumerable.Range(0, table.RowCount).GroupBy(r => $"{table.Text(r, seed)} {table.Text(r, rate)}, {table.Text(r, batch)}"))
            {
                (double Training, double Validation)[] Of(string name) =>
                    [.. run.Where(r => table.Text(r, branch) == name).Select(r => (table.Number(r, training) ?? double.NaN, table.Number(r, validation) ?? double.NaN))];
                (double Training, double Validation)[] trunk = Of("");
                yield return new Recorded(table.Integer(run.First(), seed)!.Value, run.Key[(run.Key.IndexOf(' ') + 1)..], [.. trunk.Select(t => t.Training)],
                    [.. trunk.Select(t => t.Validation)], Of(ProbeBranch), Of(WholeBranch));
            }
        }
    }
}
