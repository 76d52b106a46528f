using ChemScale.Engine;
using ChemScale.Engine.Estimation;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class FinalLossRegressionTests
{
    private static readonly double[] Early = [3, 1, 4, 1.5, 5.2, 9, 2.6];
    private static readonly double[] Final = [1.4, 0.7, 1.5, 0.8, 2.1, 3.6, 1.0];

    [Test]
    public void The_line_solves_the_normal_equations()
    {
        LinearRegression line = FinalLossRegression.Fit(Early, Final).Line;
        double[] logEarly = [.. Early.Select(v => Math.Log(v))], logFinal = [.. Final.Select(v => Math.Log(v))];
        double[] residuals = [.. logEarly.Zip(logFinal, (x, y) => y - line.Predict(x))];
        Expect.Close(residuals.Sum(), 0, absolute: 1e-13);
        Expect.Close(residuals.Zip(logEarly, (r, x) => r * x).Sum(), 0, absolute: 1e-12);
        Expect.Close(line.R2, Math.Pow(Correlation.Pearson(logEarly, logFinal)!.Value, 2), absolute: 1e-13);
    }

    [Test]
    public void Leave_one_out_errors_are_those_of_refitting_without_the_point()
    {
        FinalLossRegression regression = FinalLossRegression.Fit(Early, Final);
        for (int i = 0; i < Early.Length; i++)
        {
            double[] x = [.. Early.Where((_, j) => j != i)], y = [.. Final.Where((_, j) => j != i)];
            double predicted = Math.Exp(LinearRegression.Fit([.. x.Select(v => Math.Log(v))], [.. y.Select(v => Math.Log(v))])!.Predict(Math.Log(Early[i])));
            Expect.Close(regression.LeaveOneOutErrors[i], Final[i] - predicted, absolute: 1e-12);
            Expect.Close(regression.Without(i)!.Predict(Early[i]), predicted, absolute: 1e-12);
        }
        double mean = Final.Average();
        Expect.Close(regression.LeaveOneOutR2, 1 - regression.LeaveOneOutErrors.Sum(e => e * e) / Final.Sum(y => (y - mean) * (y - mean)), absolute: 1e-12);
    }

    [Test]
    public void A_line_through_two_figures_leaves_no_error_to_tell()
    {
        FinalLossRegression regression = FinalLossRegression.Fit([2, 2, 2, 3, 4], [1.9, 1.9, 1.9, 2.0, 2.1]);
        Assert.That(regression.Without(3), Is.Null);
        Assert.That(regression.Without(0), Is.Not.Null);
    }

    [Test]
    public void What_is_predicted_of_positive_losses_is_positive_however_far_the_figure()
    {
        var regression = FinalLossRegression.Fit([4.5, 5, 5.4, 6], [0.5, 0.8, 1.1, 1.4]);
        foreach (double early in (double[])[4, 1, 1e-3, 0, -1])
        {
            Expect.Above(regression.Predict(early), 0);
            Expect.Above(regression.PredictionInterval(early).Low, 0);
        }
        double at = regression.Predict(5.2);
        Expect.Close(regression.PredictionError(5.2), at * (Math.Exp(regression.Line.PredictionError(Math.Log(5.2))!.Value) - 1), absolute: 1e-12);
    }

    [Test]
    public void Losses_below_zero_have_a_line_of_their_own()
    {
        double[] final = [.. Final.Select(y => y - 2)];
        var regression = FinalLossRegression.Fit(Early, final);
        Expect.Close(regression.Predict(2), LinearRegression.Fit([.. Early.Select(v => Math.Log(v))], final)!.Predict(Math.Log(2)), absolute: 1e-12);
        Assert.That(FinalLossRegression.Fit([.. Early.Select(x => x - 2)], Final).LogarithmicEarly, Is.False);
    }

    [Test]
    public void Losses_that_do_not_vary_have_no_R2()
    {
        double[] same = [.. Early.Select((_, i) => 0.7236 * (1 + 1e-16 * i))];
        Assert.That(FinalLossRegression.Fit(Early, same).LeaveOneOutR2, Is.Null);
        Assert.That(RankQuality.Of(Early, same), Is.EqualTo(new RankQuality(7, null, null, null)));
        Assert.That(RankQuality.Of([1, 2, 3], [1, 2, 3]).Spearman, Is.Null, "three runs say nothing of an order");
    }

    [Test]
    public void Prediction_intervals_cover_new_configurations_as_often_as_they_say()
    {
        int covered = 0, sets = 2000;
        for (int set = 0; set < sets; set++)
        {
            var random = new CounterRandom(11, (ulong)set);
            double[] x = new double[8], y = new double[8];
            for (int i = 0; i < 8; i++)
            {
                x[i] = 0.5 + random.NextDouble();
                y[i] = 2 * Math.Pow(x[i], 1.4) * Math.Exp(0.3 * random.NextNormal());
            }
            double at = 0.5 + 1.5 * random.NextDouble(), truth = 2 * Math.Pow(at, 1.4) * Math.Exp(0.3 * random.NextNormal());
            if (FinalLossRegression.Fit(x, y).PredictionInterval(at, 0.9).Contains(truth)) covered++;
        }
        Expect.Close(covered / (double)sets, 0.9, absolute: 0.02);
    }

    [Test]
    public void The_probability_to_be_better_is_calibrated()
    {
        int better = 0, sets = 4000;
        double expected = 0;
        for (int set = 0; set < sets; set++)
        {
            var random = new CounterRandom(12, (ulong)set);
            double[] x = new double[10], y = new double[10];
            for (int i = 0; i < 10; i++)
            {
                x[i] = 0.2 + random.NextDouble();
                y[i] = x[i] * Math.Exp(0.3 * random.NextNormal());
            }
            expected += FinalLossRegression.Fit(x, y).ProbabilityBetter(0.6, 0.8);
            if (0.6 * Math.Exp(0.3 * random.NextNormal()) < 0.8 * Math.Exp(0.3 * random.NextNormal())) better++;
        }
        Expect.Close(expected / sets, better / (double)sets, absolute: 0.03);
    }

    [Test]
    public void Diverged_runs_are_left_out_and_too_few_are_refused()
    {
        Assert.That(FinalLossRegression.Fit([.. Early, double.NaN, 3], [.. Final, 1, double.PositiveInfinity]).Line,
            Is.EqualTo(FinalLossRegression.Fit(Early, Final).Line));
        Assert.That(() => FinalLossRegression.Fit([1, 2], [1, 2]), Throws.TypeOf<InputException>());
        Assert.That(() => FinalLossRegression.Fit([2, 2, 2], [1, 2, 3]), Throws.TypeOf<InputException>());
    }
}
