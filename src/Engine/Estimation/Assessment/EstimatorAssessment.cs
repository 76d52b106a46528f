using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Assessment;

/// <summary>How good an estimator's calibrated predictions are, over some of the finished runs; null where undefined.</summary>
/// <param name="Count">Finished runs.</param>
/// <param name="LeaveOneOutR2">Each run predicted from the others: what R2 is worth for a new one.</param>
/// <param name="LeaveOneOutRms">Root mean square of those errors.</param>
/// <param name="Spearman">Rho of early figures and final losses.</param>
/// <param name="Kendall">Tau-b of the same.</param>
/// <param name="DirectR2">Of the figure taken for the final loss as it is; null for sums of losses.</param>
/// <param name="WithinInterval">Runs that ended within the 95 % interval of their prediction from the others: calibrated, 95 of 100. Null: too few.</param>
public sealed record EstimatorQuality(int Count, double? LeaveOneOutR2, double? LeaveOneOutRms, double? Spearman, double? Kendall,
    double? DirectR2, int? WithinInterval);

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

    /// <summary>95 % interval of each prediction; null where there is none.</summary>
    public IReadOnlyList<ConfidenceInterval?> PredictedInterval { get; init; } = [];

    /// <summary>Runs that share the lowest figure, where more than one does: which of them is best is not known. Else empty.</summary>
    public IReadOnlyList<int> Tied { get; init; } = [];

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
        var intervals = new ConfidenceInterval?[early.Length];
        if (Line(known, early, final) is { } regression)
        {
            foreach (int i in alive)
            {
                int at = Array.IndexOf(known, i);
                predicted[i] = at < 0 ? regression.Predict(early[i]) : final[i] - regression.LeaveOneOutErrors[at];
                // What was calibrated on is predicted, and its error judged, without itself.
                FinalLossRegression? others = at < 0 ? regression : regression.Without(at);
                errors[i] = others?.PredictionError(early[i]);
                intervals[i] = others?.PredictionInterval(early[i]);
            }
        }
        double regret = final[selected] - best;
        int[] tied = [.. alive.Where(i => Math.Abs(early[i] - early[selected]) <= 1e-12 * Math.Abs(early[selected]))];
        return new EstimatorAssessment(estimator.Name(), [.. early.Select(Finite)], predicted, errors, selected, Finite(regret),
            Quality(estimator, known, early, final), Quality(estimator, [.. known.Where(i => final[i] <= limit)], early, final))
        {
            PredictedInterval = intervals,
            Tied = tied.Length > 1 ? tied : [],
        };
    }

    private static FinalLossRegression? Line(int[] runs, double[] early, IReadOnlyList<double> final) =>
        runs.Length >= 3 && runs.Select(i => early[i]).Distinct().Count() > 1
            ? FinalLossRegression.Fit([.. runs.Select(i => early[i])], [.. runs.Select(i => final[i])]) : null;

    private static EstimatorQuality Quality(ProbeEstimator estimator, int[] runs, double[] early, IReadOnlyList<double> final)
    {
        FinalLossRegression? line = Line(runs, early, final);
        RankQuality rank = RankQuality.Of([.. runs.Select(i => early[i])], [.. runs.Select(i => final[i])]);
        return new EstimatorQuality(runs.Length, rank.Count < RankQuality.FewestRuns ? null : line?.LeaveOneOutR2, line?.LeaveOneOutRms, rank.Spearman, rank.Kendall,
            estimator.IsLoss() ? rank.R2 : null, line is { Early.Count: >= RankQuality.FewestRuns } ? Within(line) : null);
    }

    private static int Within(FinalLossRegression line) =>
        Enumerable.Range(0, line.Early.Count).Count(i => line.Without(i)?.PredictionInterval(line.Early[i]).Contains(line.Final[i]) == true);

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
