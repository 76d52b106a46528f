using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Assessment;

/// <summary>How good an estimator's calibrated predictions are, over some of the finished runs; null where undefined.</summary>
/// <param name="Count">Finished runs.</param>
/// <param name="R2">Of the line, on the runs it was fitted to.</param>
/// <param name="LeaveOneOutR2">Each run predicted from the others: what R2 is worth for a new one.</param>
/// <param name="LeaveOneOutRms">Root mean square of those errors.</param>
/// <param name="Spearman">Rho of early figures and final losses.</param>
/// <param name="Kendall">Tau-b of the same.</param>
/// <param name="DirectR2">Of the figure taken for the final loss as it is; null for sums of losses.</param>
public sealed record EstimatorQuality(int Count, double? R2, double? LeaveOneOutR2, double? LeaveOneOutRms, double? Spearman, double? Kendall,
    double? DirectR2);

/// <summary>One estimator on recorded runs: predictions, and what they are worth.</summary>
/// <param name="Estimator">Its name.</param>
/// <param name="Early">Figure of each run's probe; null where it diverged.</param>
/// <param name="Predicted">Final loss of each run: of the finished from the others, of the rest from all; null where there is no line.</param>
/// <param name="PredictedError">Standard error of a new run there.</param>
/// <param name="Selected">Index of the run of the lowest figure.</param>
/// <param name="Regret">Its final loss above the best; null where it is not finished.</param>
/// <param name="All">Over all finished runs.</param>
/// <param name="NearBest">Over those within 20 % of the best final loss, with a line of their own: diverged learning rates make R2 look like 1.</param>
public sealed record EstimatorAssessment(string Estimator, IReadOnlyList<double?> Early, IReadOnlyList<double?> Predicted,
    IReadOnlyList<double?> PredictedError, int Selected, double? Regret, EstimatorQuality All, EstimatorQuality NearBest)
{
    public const double NearShare = 0.2;

    /// <param name="estimator">To judge.</param>
    /// <param name="probes">One for each run.</param>
    /// <param name="final">Final loss of each run; NaN where it is not finished, or diverged.</param>
    /// <exception cref="InputException">A probe is too short for the estimator, or every one diverged.</exception>
    public static EstimatorAssessment Of(ProbeEstimator estimator, IReadOnlyList<ProbeView> probes, IReadOnlyList<double> final)
    {
        double[] early = [.. probes.Select(p => estimator.Of(p))];
        int[] alive = [.. Enumerable.Range(0, early.Length).Where(i => double.IsFinite(early[i]))];
        if (alive.Length == 0) throw new InputException("estimation", "every probe diverged", "at least one finite loss");
        int selected = alive.MinBy(i => early[i]);
        int[] known = [.. alive.Where(i => double.IsFinite(final[i]))];
        double best = final.Where(double.IsFinite).DefaultIfEmpty(double.NaN).Min(), limit = best + NearShare * Math.Abs(best);
        var predicted = new double?[early.Length];
        var errors = new double?[early.Length];
        if (Line(known, early, final) is { } regression)
        {
            foreach (int i in alive)
            {
                int at = Array.IndexOf(known, i);
                predicted[i] = at < 0 ? regression.Predict(early[i]) : final[i] - regression.LeaveOneOutErrors[at];
                errors[i] = regression.Line.PredictionError(early[i]);
            }
        }
        double regret = final[selected] - best;
        return new EstimatorAssessment(estimator.Name(), [.. early.Select(Finite)], predicted, errors, selected, Finite(regret),
            Quality(estimator, known, early, final), Quality(estimator, [.. known.Where(i => final[i] <= limit)], early, final));
    }

    private static FinalLossRegression? Line(int[] runs, double[] early, IReadOnlyList<double> final) =>
        runs.Length >= 3 && runs.Select(i => early[i]).Distinct().Count() > 1
            ? FinalLossRegression.Fit([.. runs.Select(i => early[i])], [.. runs.Select(i => final[i])]) : null;

    private static EstimatorQuality Quality(ProbeEstimator estimator, int[] runs, double[] early, IReadOnlyList<double> final)
    {
        FinalLossRegression? line = Line(runs, early, final);
        RankQuality rank = RankQuality.Of([.. runs.Select(i => early[i])], [.. runs.Select(i => final[i])]);
        return new EstimatorQuality(runs.Length, line?.R2, line?.LeaveOneOutR2, line?.LeaveOneOutRms, rank.Spearman, rank.Kendall,
            estimator.IsLoss() ? rank.R2 : null);
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
