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
        double[] residuals = [.. Early.Zip(Final, (x, y) => y - line.Predict(x))];
        Expect.Close(residuals.Sum(), 0, absolute: 1e-13);
        Expect.Close(residuals.Zip(Early, (r, x) => r * x).Sum(), 0, absolute: 1e-12);
        Expect.Close(line.R2, Math.Pow(Correlation.Pearson(Early, Final)!.Value, 2), absolute: 1e-13);
    }

    [Test]
    public void Leave_one_out_errors_are_those_of_refitting_without_the_point()
    {
        FinalLossRegression regression = FinalLossRegression.Fit(Early, Final);
        for (int i = 0; i < Early.Length; i++)
        {
            double[] x = [.. Early.Where((_, j) => j != i)], y = [.. Final.Where((_, j) => j != i)];
            double error = Final[i] - LinearRegression.Fit(x, y)!.Predict(Early[i]);
            Expect.Close(regression.LeaveOneOutErrors[i], error, absolute: 1e-12);
        }
        Expect.Below(regression.LeaveOneOutR2, regression.R2!.Value);
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
                x[i] = random.NextDouble();
                y[i] = 1 + 2 * x[i] + 0.3 * random.NextNormal();
            }
            double at = 1.5 * random.NextDouble(), truth = 1 + 2 * at + 0.3 * random.NextNormal();
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
                x[i] = random.NextDouble();
                y[i] = x[i] + 0.3 * random.NextNormal();
            }
            expected += FinalLossRegression.Fit(x, y).ProbabilityBetter(0.4, 0.6);
            if (0.4 + 0.3 * random.NextNormal() < 0.6 + 0.3 * random.NextNormal()) better++;
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
