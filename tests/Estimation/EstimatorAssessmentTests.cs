using ChemScale.Engine.Estimation;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class EstimatorAssessmentTests
{
    [Test]
    public void Finished_runs_are_predicted_from_the_others_and_the_rest_from_all()
    {
        LossCurve[] curves = Curves(1, 1.3, 1.1, 1.5, 1.2, 1.9);
        double[] final = [.. curves.Select(c => c.LastTrainingLoss)];
        final[3] = double.NaN;
        EstimatorAssessment a = Assess(ProbeEstimator.Tse, curves, final);
        double[] early = [.. a.Early.Select(e => e!.Value)];
        foreach (int i in (int[])[0, 1, 2, 4, 5])
        {
            int[] others = [.. new[] { 0, 1, 2, 4, 5 }.Where(j => j != i)];
            double expected = Line(others, early, final, early[i]);
            Expect.Close(a.Predicted[i], expected, absolute: 1e-12);
        }
        int[] known = [0, 1, 2, 4, 5];
        Expect.Close(a.Predicted[3], Line(known, early, final, early[3]), absolute: 1e-12);
        Assert.That(a.All.Count, Is.EqualTo(5));
        Assert.That(a.Selected, Is.Zero);
        Assert.That(a.Regret, Is.Zero);
        var others0 = FinalLossRegression.Fit([.. known[1..].Select(j => early[j])], [.. known[1..].Select(j => final[j])]);
        Expect.Close(a.PredictedError[0], others0.PredictionError(early[0])!.Value, absolute: 1e-12);
        Assert.That(a.PredictedInterval[3]!.Contains(a.Predicted[3]!.Value), Is.True);
        Assert.That(a.Tied, Is.Empty);
    }

    [Test]
    public void Runs_that_share_the_lowest_figure_are_a_tie()
    {
        LossCurve[] curves = [.. Curves(1, 1.3, 1.1), .. Curves(1).Select(c => new LossCurve("twin", [], [.. c.Epochs]))];
        EstimatorAssessment a = Assess(ProbeEstimator.LastTrainingLoss, curves, [1, 1.3, 1.1, 1.2]);
        Assert.That(a.Tied, Is.EqualTo(new[] { 0, 3 }));
    }

    private static double Line(int[] runs, double[] early, double[] final, double at) =>
        Math.Exp(LinearRegression.Fit([.. runs.Select(j => Math.Log(early[j]))], [.. runs.Select(j => Math.Log(final[j]))])!.Predict(Math.Log(at)));

    [Test]
    public void Near_the_best_only_close_runs_count_with_a_line_of_their_own()
    {
        LossCurve[] curves = Curves(1, 1.05, 1.1, 1.15, 8, 9);
        double[] final = [1.1, 1.05, 1.0, 1.15, 8, 9];
        EstimatorAssessment a = Assess(ProbeEstimator.LastTrainingLoss, curves, final);
        Expect.Above(a.All.LeaveOneOutR2, 0.99, "two diverging rates make any line look good");
        Assert.That(a.NearBest.Count, Is.EqualTo(4));
        Expect.Below(a.NearBest.Spearman, 0.5);
        Expect.Below(a.NearBest.LeaveOneOutR2, 0.5);
        Expect.Close(a.Regret, 0.1, absolute: 1e-12);
    }

    [Test]
    public void Only_estimators_in_units_of_the_loss_are_judged_as_they_are([Values(ProbeEstimator.Tse, ProbeEstimator.TseE,
        ProbeEstimator.TseEma, ProbeEstimator.LastTrainingLoss, ProbeEstimator.Lcga, ProbeEstimator.PowerLaw)] ProbeEstimator estimator)
    {
        LossCurve[] curves = Curves(1, 1.3, 1.1, 1.5);
        EstimatorAssessment a = Assess(estimator, curves, [.. curves.Select(c => c.LastTrainingLoss)]);
        Assert.That(a.All.DirectR2 is null, Is.EqualTo(estimator is ProbeEstimator.Tse or ProbeEstimator.TseEma));
        Assert.That(a.Estimator, Is.EqualTo(estimator.Name()));
        Assert.That(ProbeEstimators.Parse(a.Estimator.ToUpperInvariant(), "--estimator"), Is.EqualTo(estimator));
    }

    [Test]
    public void The_true_form_read_off_the_probe_needs_no_calibration()
    {
        LossCurve[] curves = Curves(1, 1.3, 1.1, 1.5);
        Expect.Above(Assess(ProbeEstimator.Lcga, curves, [.. curves.Select(c => c.LastTrainingLoss)]).All.DirectR2, 0.999);
    }

    [Test]
    public void A_front_holds_what_nothing_beats_in_both()
    {
        Assert.That(ParetoFront.Of([3, 1, 2, 2, 4, double.NaN], [1, 5, 3, 2, 1, 0]), Is.EqualTo(new[] { 1, 3, 0 }));
        Assert.That(ParetoFront.Of([], []), Is.Empty);
    }

    private static EstimatorAssessment Assess(ProbeEstimator estimator, LossCurve[] curves, double[] final) =>
        EstimatorAssessment.Of(estimator, [.. curves.Select(c => ProbeView.Of(c, 0.2))], final);

    // Of LCGA's form, fifty epochs; sizes that differ a little, so that early figures are no exact line in the final losses.
    private static LossCurve[] Curves(params double[] floors) => [.. floors.Select((floor, k) => new LossCurve($"run {k}", [],
        [.. Enumerable.Range(0, 50).Select(e => new EpochLoss(e, 1, floor + (3 + 0.1 * Math.Sin(5 * k)) / (e + 2)))]))];
}
