using System.Xml.Linq;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Estimation.Pruning;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Estimates;

/// <summary>An estimation as a self-contained page: predictions, curves, estimators, the replay.</summary>
public static class EstimationPage
{
    /// <param name="report">To show.</param>
    /// <param name="path">Of the page; figures and their numbers go under figures/ beside it.</param>
    /// <param name="command">The command line, for the page.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void Write(EstimationReport report, string path, string command)
    {
        SelectionSummary selection = Selection(report);
        var data = new DataFacts { Source = "recorded curves", Synthetic = false, Read = report.Runs.Count, Train = 0, Validation = 0, Refused = 0 };
        StudyPart part = SelectionPage.Part("Recorded curves", "units of the recording", "epochs", data, selection);
        IReadOnlyList<Figure> more = report.Replay is { } replay ? [ReplayFigure.Of(replay, SelectionPage.Slug(path))] : [];
        SelectionPage.Write(path, $"Estimation over {Numbers.Count(report.Runs.Count)} recorded curves", command, part, false, more, Sections(report));
    }

    /// <summary>As a search would have gone: the run of the lowest figure kept, the others stopped.</summary>
    private static SelectionSummary Selection(EstimationReport report)
    {
        EstimatorAssessment chosen = report.Chosen;
        double full = report.Runs.Max(r => r.EpochLosses.Count);
        bool validated = report.Runs.All(r => r.Finished || r.Diverged) && chosen.All.Count >= 3;
        return SelectionCautions.Added(new SelectionSummary
        {
            Configurations = [.. report.Runs.Select((r, i) => new ConfigurationOutcome
            {
                Name = r.Name,
                LearningRate = r.LearningRate ?? 0,
                BatchSize = r.BatchSize ?? 0,
                Fate = chosen.Early[i] is null ? ConfigurationFate.Diverged : i == chosen.Selected ? ConfigurationFate.Kept : ConfigurationFate.Stopped,
                EpochLosses = r.EpochLosses,
                Estimate = chosen.Early[i],
                Predicted = r.Predicted,
                PredictedError = r.PredictedError,
                PredictedLow = r.PredictedLow,
                PredictedHigh = r.PredictedHigh,
                Final = r.Final,
                SecondsPerEpoch = r.Seconds / Math.Max(1e-9, r.Epochs) ?? 0,
            })],
            Estimator = report.Estimator,
            ProbeEpochs = Math.Max(1, (int)Math.Round(report.Probe * full)),
            FullEpochs = (int)full,
            Validated = validated,
            Selected = chosen.Selected,
            R2 = validated ? chosen.All.LeaveOneOutR2 : null,
            Spearman = validated ? chosen.All.Spearman : null,
            Kendall = validated ? chosen.All.Kendall : null,
            R2NearBest = validated ? chosen.NearBest.LeaveOneOutR2 : null,
            SpearmanNearBest = validated ? chosen.NearBest.Spearman : null,
            Regret = validated ? chosen.Regret : null,
            ComputeSaved = Engine.Estimation.Selection.ComputeSaved.Of(report.Runs.Count, Math.Min(1, report.Probe)).Share,
            Finished = chosen.All.Count,
            WithinInterval = chosen.All.WithinInterval,
            NearBest = validated ? chosen.NearBest.Count : null,
            Tied = chosen.Tied.Count,
        });
    }

    private static IEnumerable<XElement> Sections(EstimationReport report)
    {
        var estimators = new HtmlTable("Estimators at the probe; near: within 20 % of the best final loss, with a line of their own", false, Text("Estimator"), Text("Chooses"),
            Number("Regret"), Number("Runs"), Number("R², leaving one out"), Number("Within 95 %"), Number("Spearman ρ"), Number("Kendall τ"),
            Number("R² as it is"), Number("Near"), Number("R², leaving one out"), Number("Spearman ρ"));
        foreach (EstimatorAssessment e in report.Estimators)
        {
            bool tied = e.Tied.Count > 0;
            string? within = e.All.WithinInterval is { } held ? $"{held} of {e.All.Count}" : null;
            estimators.Add(e.Estimator == report.Estimator, e.Estimator, tied ? null : Html.Unbroken(report.Runs[e.Selected].Name),
                tied ? null : Numbers.Significant(e.Regret, 3), Numbers.Count(e.All.Count), Numbers.Significant(e.All.LeaveOneOutR2, 3), within,
                Numbers.Significant(e.All.Spearman, 3), Numbers.Significant(e.All.Kendall, 3),
                Numbers.Significant(e.All.DirectR2, 3), Numbers.Count(e.NearBest.Count), Numbers.Significant(e.NearBest.LeaveOneOutR2, 3),
                Numbers.Significant(e.NearBest.Spearman, 3));
        }
        yield return Html.Section("estimators", 2, "Estimators", estimators.Render(), Html.List(report.Notes));
        if (report.Replay is { } replay) yield return Html.Section("replay", 2, "Replay", Replayed(replay));
    }

    private static XElement Replayed(Replay replay)
    {
        string[] units = [.. replay.Rows.SelectMany(r => r.Savings).Select(s => s.Unit).Distinct()];
        (string, bool)[] columns =
        [
            Text("Pruner"), Text("Chooses"), Number("Regret"), .. units.Select(u => Number($"Saved, {u}")), Number("R², leaving one out"), Number("Spearman ρ"),
            Number("Near: R²"), Number("Near: ρ"),
        ];
        var table = new HtmlTable($"Every pruner on the recordings; the best run is {replay.BestRun}, {Numbers.Significant(replay.BestLoss)}", false, columns);
        foreach (ReplayRow r in replay.Rows)
        {
            object?[] row =
            [
                Html.Unbroken(r.Pruner), Html.Unbroken(r.Selected), Numbers.Significant(r.Regret, 3),
                .. units.Select(u => Numbers.Percent(r.Savings.First(s => s.Unit == u).Share)),
                Numbers.Significant(r.All.R2, 3), Numbers.Significant(r.All.Spearman, 3), Numbers.Significant(r.NearBest.R2, 3), Numbers.Significant(r.NearBest.Spearman, 3),
            ];
            table.Add(r.Regret == 0, row);
        }
        return table.Render();
    }
}

/// <summary>What each pruner saved against what its choice lost.</summary>
internal static class ReplayFigure
{
    private static readonly string[] Kinds = ["TPE", "successive halving", "ASHA", "Hyperband", "median", "patient"];

    /// <param name="replay">To show.</param>
    /// <param name="slug">What the names of the page's files begin with.</param>
    public static Figure Of(Replay replay, string slug)
    {
        var chart = new Chart(
            "Saved by each pruner, and lost by its choice", new ChartAxis("Saved, % of running all to the end"), new ChartAxis("Regret (final loss above the best)"));
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
