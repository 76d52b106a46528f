using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

public class PowerLawTests
{
    [Test]
    public void A_power_law_is_the_straight_line_of_the_logarithms()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 9, noise: 0.05, seed: 3);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, points, Resource.Parameters);
        LinearRegression line = LinearRegression.Fit([.. points.Kept.Select(p => Math.Log(p.N!.Value))],
            [.. points.Kept.Select(p => Math.Log(p.Loss))])!;
        Expect.Close(fit["beta"], -line.Slope, absolute: 1e-12);
        Expect.Close(Math.Log(fit["alpha"]), line.Intercept, absolute: 1e-11);
        Expect.Close(fit.R2, line.R2, absolute: 1e-12);
        Expect.Close(fit.ResidualError, line.ResidualError, absolute: 1e-12);
        Assert.That(fit.Converged, Is.True);
        Expect.Close(fit.Predict(1e9), Math.Exp(line.Predict(Math.Log(1e9))), absolute: 1e-12);
        Expect.Close(fit.Residuals.Sum(r => r.LogResidual), 0, absolute: 1e-12);
    }

    [Test]
    public void Weights_count_as_repeated_points()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 6, noise: 0.1, seed: 4);
        ScalingPoints repeated = new([.. points.Kept, points.Kept[2], points.Kept[2]]);
        ScalingPoints weighted = new([.. points.Kept.Select((p, i) => p with { Weight = i == 2 ? 3 : 1 })]);
        Expect.Close(ScalingFitter.Fit(LogSumExpFamily.PowerLaw, weighted, Resource.Parameters)["beta"],
            ScalingFitter.Fit(LogSumExpFamily.PowerLaw, repeated, Resource.Parameters)["beta"], absolute: 1e-12);
    }

    [TestCase(0.1)]
    [TestCase(0.26)]
    [TestCase(0.8)]
    public void Exact_points_give_back_exponent_and_floor(double beta)
    {
        ScalingPoints points = Synthetic.Curve(r => 20 * Math.Pow(r, -beta) + 0.4, 12);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLawWithFloor, points, Resource.Parameters);
        Expect.Close(fit["beta"], beta, absolute: 1e-6);
        Expect.Close(fit["alpha"], 20, absolute: 1e-3);
        Expect.Close(fit["E"], 0.4, absolute: 1e-5);
        Assert.That(fit.Cautions, Is.Empty);
    }

    [Test]
    public void A_law_without_floor_is_found_to_have_none()
    {
        // The curvature of these points is that of no floor or a negative one.
        ScalingPoints points = Synthetic.Curve(r => 9 * Math.Pow(r, -0.2) * Math.Exp(-0.001 * Math.Pow(Math.Log(r / 1e6), 2)), 10);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLawWithFloor, points, Resource.Parameters);
        Assert.That(fit["E"], Is.Zero);
        Assert.That(fit.Converged, Is.True);
        Expect.Close(fit["beta"], ScalingFitter.Fit(LogSumExpFamily.PowerLaw, points, Resource.Parameters)["beta"], absolute: 1e-10);
        Assert.That(fit.Cautions.Single(), Is.EqualTo("E = 0 fits best: the points show no E"));
    }

    [Test]
    public void One_outlier_moves_the_robust_fit_less()
    {
        ScalingPoints points = Synthetic.Curve(r => 9 * Math.Pow(r, -0.2), 15, noise: 0.001, seed: 5);
        ScalingPoints spoiled = new([.. points.Kept.Select((p, i) => i == 13 ? p with { Loss = 2 * p.Loss } : p)]);
        double squared = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, spoiled, Resource.Parameters)["beta"];
        double huber = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, spoiled, Resource.Parameters,
            new FitOptions { Loss = ResidualLoss.Huber() })["beta"];
        Expect.Close(huber, 0.2, absolute: 1e-3);
        Expect.Above(Math.Abs(squared - 0.2), 5e-3);
    }

    [Test]
    public void Points_that_cannot_carry_a_fit_are_refused_with_the_reason()
    {
        ScalingPoints three = Synthetic.Curve(r => 9 * Math.Pow(r, -0.2), 3), rising = Synthetic.Curve(r => Math.Pow(r, 0.2), 8);
        ScalingPoints same = new([.. Enumerable.Range(0, 8).Select(i => new ScalingPoint { N = i % 2 + 1, Loss = 3 - i % 2 })]);
        Refused(three, "3 points for 3 parameters: at least 4 are needed");
        Refused(rising, "the loss does not fall as parameters grows");
        Refused(same, "2 different values of parameters: at least 3 are needed");
        Refused(new ScalingPoints([.. three.Kept, .. three.Kept.Select(p => p with { Loss = 1 })]).Exclude(p => p.Loss != 1, "x"),
            "3 points");
        Assert.That(() => ScalingFitter.Fit(LogSumExpFamily.PowerLaw, three, Resource.Data),
            Throws.TypeOf<InputException>().With.Message.Contains("no data"));

        static void Refused(ScalingPoints points, string reason) =>
            Assert.That(() => ScalingFitter.Fit(LogSumExpFamily.PowerLawWithFloor, points, Resource.Parameters),
                Throws.TypeOf<InputException>().With.Message.StartsWith("power-law-with-floor: " + reason));
    }
}
