using ChemScale.Engine.Estimation.Pruning;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Studies.Report;

namespace ChemScale.Engine.Studies.Estimates;

/// <summary>What each pruner saved against what its choice lost.</summary>
internal static class ReplayFigure
{
    private static readonly string[] Kinds = ["TPE", "successive halving", "ASHA", "Hyperband", "median", "patient"];

    /// <param name="replay">To show.</param>
    /// <param name="slug">What the names of the page's files begin with.</param>
    public static Figure Of(Replay replay, string slug)
    {
        var chart = new Chart("Saved by each pruner, and lost by its choice", new ChartAxis("Saved, % of running all to the end"), new ChartAxis("Regret (final loss above the best)"));
        var csv = new CsvWriter("pruner", "selected", "final", "regret", "saved_runs", "r2", "spearman", "r2_near", "spearman_near");
        for (int k = 0; k < Kinds.Length; k++)
        {
            foreach (bool undecided in (bool[])[false, true])
            {
                ReplayRow[] rows = [.. replay.Rows.Where(r => Kind(r) == Kinds[k] && r.Pruner.Contains("undecided", StringComparison.Ordinal) == undecided)];
                if (rows.Length == 0) continue;
                string color = Palette.Ordered(k, Kinds.Length);
                Mark mark = Marks.Of(k, undecided || k >= 4);
                chart.Points(rows.Select(r => (100 * r.Savings[0].Share, r.Regret)), mark, color);
                chart.Legend(new LegendEntry(undecided ? "TPE, undecided kept" : Kinds[k], color, mark));
            }
        }
        foreach (ReplayRow r in replay.Rows)
            csv.Add(r.Pruner, r.Selected, r.FinalLoss, r.Regret, r.Savings[0].Share, r.All.R2, r.All.Spearman, r.NearBest.R2, r.NearBest.Spearman);
        return new Figure($"{slug}-replay", chart, "Three settings of each, deciding no earlier than at 5, 10 and 20 % of the budget; TPE with every estimator.", csv);
    }

    private static string Kind(ReplayRow row) => Kinds.First(k => row.Pruner.StartsWith(k, StringComparison.Ordinal));
}
