using System.Globalization;
using System.Text;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>What each run costs in full, in one unit.</summary>
/// <param name="Unit">runs (1 each), steps, FLOP, s, kJ.</param>
/// <param name="Full">One for each run.</param>
public sealed record RunCosts(string Unit, IReadOnlyList<double> Full);

/// <summary>Share of one unit that a pruner saved against running all to the end.</summary>
public sealed record Saving(string Unit, double Share);

/// <summary>One pruner on the recorded runs.</summary>
/// <param name="Pruner">Its name.</param>
/// <param name="Selected">Name of the run it ended with; a dash where others are its equals.</param>
/// <param name="FinalLoss">Of that run.</param>
/// <param name="Regret">Above the best final loss.</param>
/// <param name="Savings">In each unit.</param>
/// <param name="All">How well its order of the runs is that of their final losses; R2 is that of a line from its scores, leaving one
/// out.</param>
/// <param name="NearBest">The same over the runs that end within 20 % of the best.</param>
public sealed record ReplayRow(string Pruner, string Selected, double FinalLoss, double Regret, IReadOnlyList<Saving> Savings,
    RankQuality All, RankQuality NearBest);

/// <summary>Recorded runs fed to pruners that see, and pay for, a part of each.</summary>
/// <param name="Rows">In the order of the pruners.</param>
/// <param name="BestRun">Name of the run that ends lowest; a dash where more than one does.</param>
/// <param name="BestLoss">Its final loss.</param>
public sealed record Replay(IReadOnlyList<ReplayRow> Rows, string BestRun, double BestLoss)
{
    public const double NearShare = 0.2;

    private const string Tie = "-";

    /// <param name="curves">Whole runs; diverged ones may be shorter.</param>
    /// <param name="pruners">Each starts anew.</param>
    /// <param name="costs">Null: steps.</param>
    /// <param name="finalLoss">Of a run; null: its last training loss, infinite where it diverged.</param>
    public static Replay Run(IReadOnlyList<LossCurve> curves, IReadOnlyList<IPruner> pruners, IReadOnlyList<RunCosts>? costs = null,
        Func<LossCurve, double>? finalLoss = null)
    {
        if (curves.Count == 0) throw new InputException("replay", "no runs", "at least one");
        int[] planned = [.. curves.Select(c => Planned(c, curves.Max(other => other.EpochLength)))];
        costs ??= [new RunCosts("steps", [.. planned.Select(length => (double)length)])];
        double[] final = [.. curves.Select(c => c.Diverged ? double.PositiveInfinity : finalLoss?.Invoke(c) ?? c.LastTrainingLoss)];
        int best = Enumerable.Range(0, final.Length).MinBy(i => final[i]);
        if (!double.IsFinite(final[best]))
            throw new InputException("replay", "no run with a final loss", "at least one");
        return new Replay([.. pruners.Select(Row)], Alike(best) ? Tie : curves[best].Name, final[best]);

        ReplayRow Row(IPruner pruner)
        {
            RecordedRun[] runs = [.. curves.Select((c, i) => new RecordedRun(c, planned[i]))];
            PrunerChoice choice = pruner.Run(runs);
            // What is used must be trained to its end.
            runs[choice.Selected].Advance(1);
            Saving[] savings = [.. costs.Select(c =>
                new Saving(c.Unit, 1 - c.Full.Zip(runs, (full, run) => full * run.Spent).Sum() / c.Full.Sum()))];
            // Which of equals it ended with is chance.
            bool tied = Alike(choice.Selected) || (pruner is TpePruner && choice.Scores.Count(s => Same(s, choice.Scores.Min())) > 1);
            return new ReplayRow(pruner.Name, tied ? Tie : curves[choice.Selected].Name, final[choice.Selected], final[choice.Selected] - final[best],
                savings, Quality(choice.Scores, null), Quality(choice.Scores, NearShare));
        }

        bool Alike(int run) => final.Count(loss => Same(loss, final[run])) > 1;

        static bool Same(double a, double b) => Math.Abs(a - b) <= 1e-12 * Math.Abs(b);

        RankQuality Quality(IReadOnlyList<double> scores, double? share)
        {
            double limit = share is { } s ? final[best] + s * Math.Abs(final[best]) : double.PositiveInfinity;
            int[] kept = [.. Enumerable.Range(0, final.Length)
                .Where(i => double.IsFinite(final[i]) && double.IsFinite(scores[i]) && final[i] <= limit)];
            double[] x = [.. kept.Select(i => scores[i])], y = [.. kept.Select(i => final[i])];
            double? r2 = kept.Length >= RankQuality.FewestRuns && x.Distinct().Count() > 1 ? FinalLossRegression.Fit(x, y).LeaveOneOutR2 : null;
            return RankQuality.Of(x, y) with { R2 = r2 };
        }
    }

    // A run that diverged may have been stopped there: it was meant to be as many epochs long as the others.
    private static int Planned(LossCurve curve, double epochs) =>
        curve.Diverged && curve.Steps.Count > 0 ? Math.Max(curve.Length, (int)Math.Round(epochs * curve.StepsPerEpoch)) : curve.Length;

    /// <summary>One row a pruner, columns aligned.</summary>
    public string ToTable()
    {
        string[] units = [.. Rows.SelectMany(r => r.Savings).Select(s => s.Unit).Distinct()];
        string[] header = ["pruner", "selected", "final", "regret", .. units.Select(u => $"saved {u}"), "R2", "rho", "tau", "R2 near",
            "rho near", "n near"];
        string[][] cells = [header, .. Rows.Select(r => (string[])
            [
                r.Pruner, r.Selected, OneLine.Number(r.FinalLoss, 4), OneLine.Number(r.Regret, 4),
                .. r.Savings.Select(s => OneLine.Number(100 * s.Share, 1) + " %"), OneLine.Number(r.All.R2, 3), OneLine.Number(r.All.Spearman, 3),
                OneLine.Number(r.All.Kendall, 3), OneLine.Number(r.NearBest.R2, 3), OneLine.Number(r.NearBest.Spearman, 3),
                r.NearBest.Count.ToString(CultureInfo.InvariantCulture),
            ])];
        int[] widths = [.. header.Select((_, column) => cells.Max(row => row[column].Length))];
        var table = new StringBuilder();
        foreach (string[] row in cells)
        {
            IEnumerable<string> padded = row.Select((cell, k) => k < 2 ? cell.PadRight(widths[k]) : cell.PadLeft(widths[k]));
            table.AppendLine(string.Join("  ", padded).TrimEnd());
        }
        return table.ToString().ReplaceLineEndings("\n");
    }
}

/// <summary>A recording handed out piece by piece; what is seen of it is what is charged.</summary>
/// <param name="curve">The recording.</param>
/// <param name="fullLength">Planned length, in the unit of <see cref="LossCurve.Length"/>; null: the recording's.</param>
internal sealed class RecordedRun(LossCurve curve, int? fullLength = null) : ITrainableRun
{
    public string Name => curve.Name;

    public double Spent { get; private set; }

    public ProbeView Advance(double fraction)
    {
        var view = ProbeView.Of(curve, fraction, fullLength);
        Spent = Math.Max(Spent, view.Fraction);
        return view;
    }
}

/// <summary>The pruners of a replay, all set to decide no earlier than at one share of the budget.</summary>
internal static class ReplaySet
{
    /// <summary>Shares of the budget that a replay looks at.</summary>
    public static IReadOnlyList<double> Fractions { get; } = [0.05, 0.1, 0.2];

    private const int Checks = 20;

    /// <param name="fraction">A multiple of 5 % for those that look in equal steps; others are rounded to one.</param>
    /// <param name="estimators">Of training performance estimation.</param>
    public static IReadOnlyList<IPruner> At(double fraction, IReadOnlyList<ProbeEstimator> estimators)
    {
        int check = Math.Clamp((int)Math.Round(fraction * Checks), 1, Checks);
        return
        [
            .. estimators.Select(e => new TpePruner(fraction, e)),
            .. estimators.Where(e => e == ProbeEstimator.Tse).Select(e => new UndecidedTpePruner(fraction, e)),
            new SuccessiveHalvingPruner(fraction), new AshaPruner(fraction), new HyperbandPruner(fraction), new MedianPruner(Checks, warmup: check),
            new PatientPruner(Checks, check),
        ];
    }
}
