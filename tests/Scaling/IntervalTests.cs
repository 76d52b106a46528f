using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

public class IntervalTests
{
    [Test]
    public void Profile_intervals_of_a_straight_line_are_Students_intervals()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 9, noise: 0.05, seed: 3);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, points, Resource.Parameters);
        double[] x = [.. points.Kept.Select(p => Math.Log(p.N!.Value))];
        LinearRegression line = LinearRegression.Fit(x, [.. points.Kept.Select(p => Math.Log(p.Loss))])!;
        double t = Distributions.StudentQuantile(0.975, 7), half = t * line.ResidualError!.Value / Math.Sqrt(line.SumSquaresX);
        ParameterInterval beta = ProfileLikelihood.Parameter(fit, "beta");
        Expect.Close(beta.Low, -line.Slope - half, absolute: 1e-6);
        Expect.Close(beta.High, -line.Slope + half, absolute: 1e-6);
        double at = Math.Log(1e9), band = t * line.ResidualError.Value * Math.Sqrt(line.Leverage(at));
        ConfidenceInterval curve = ProfileLikelihood.Curve(fit, 0.95, 1e9);
        Expect.Close(Math.Log(curve.Low!.Value), line.Predict(at) - band, absolute: 1e-6);
        Expect.Close(Math.Log(curve.High!.Value), line.Predict(at) + band, absolute: 1e-6);
    }

    [Test]
    public void A_floor_that_the_points_do_not_exclude_or_bound_has_an_open_end()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 9, noise: 0.05, seed: 3);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLawWithFloor, points, Resource.Parameters);
        ParameterInterval floor = ProfileLikelihood.Parameter(fit, "E");
        Assert.That(floor.Low, Is.Zero);
        Expect.Above(floor.High, fit["E"]);
        Expect.Below(floor.High, points.Kept.Min(p => p.Loss) * 1.2);
        ParameterInterval beta = ProfileLikelihood.Parameter(fit, "beta");
        Expect.AtMost(beta.Low, fit["beta"]);
        Expect.Above(beta.High, fit["beta"]);
    }

    [Test]
    public void Saturation_is_seen_where_it_is_and_not_where_it_is_not()
    {
        Saturation with = Saturation.Test(Synthetic.Curve(r => 40 * Math.Pow(r, -0.3) + 0.5, 16, noise: 0.01, seed: 1),
            Resource.Parameters);
        Saturation without = Saturation.Test(Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 16, noise: 0.01, seed: 2), Resource.Parameters);
        Assert.That(with.Saturates, Is.True);
        Expect.Below(with.Low, 0.5);
        Expect.Above(with.High, 0.5);
        Expect.Below(with.PValue, 1e-6);
        Assert.That(without.Saturates, Is.False);
        Assert.That(without.Low, Is.Zero);
    }

    [Test]
    public void The_bootstrap_is_the_same_on_any_number_of_threads()
    {
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 9, noise: 0.05, seed: 3),
            Resource.Parameters);
        foreach (BootstrapKind kind in Enum.GetValues<BootstrapKind>())
        {
            Bootstrap whole = Bootstrap.Run(fit, new BootstrapOptions { Kind = kind, Resamples = 60, Seed = 9 });
            Bootstrap part = Bootstrap.Run(fit, new BootstrapOptions { Kind = kind, Resamples = 20, Seed = 9 });
            Bootstrap other = Bootstrap.Run(fit, new BootstrapOptions { Kind = kind, Resamples = 20, Seed = 10 });
            Assert.That(whole.Draws.Take(20), Is.EqualTo(part.Draws));
            Assert.That(other.Draws, Is.Not.EqualTo(part.Draws));
            Assert.That(whole.Failed, Is.Zero);
        }
    }

    [Test]
    public void Bootstrap_spread_of_a_straight_line_is_its_standard_error()
    {
        ScalingPoints points = Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 60, noise: 0.05, seed: 6);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, points, Resource.Parameters);
        LinearRegression line = LinearRegression.Fit([.. points.Kept.Select(p => Math.Log(p.N!.Value))],
            [.. points.Kept.Select(p => Math.Log(p.Loss))])!;
        double error = line.ResidualError!.Value / Math.Sqrt(line.SumSquaresX);
        foreach (BootstrapKind kind in Enum.GetValues<BootstrapKind>())
        {
            Bootstrap bootstrap = Bootstrap.Run(fit, new BootstrapOptions { Kind = kind, Resamples = 2000 });
            ParameterInterval beta = bootstrap.Parameters().Single(p => p.Name == "beta");
            Expect.Close((beta.High - beta.Low) / (2 * 1.96 * error), 1, absolute: 0.15, message: kind.ToString());
            ConfidenceInterval curve = bootstrap.CurveInterval(0.95, 1e9), run = bootstrap.PredictionInterval(0.95, 1e9);
            Assert.That(curve.Contains(fit.Predict(1e9)), Is.True);
            Expect.Above((run.High - run.Low) / (curve.High - curve.Low), 1);
        }
    }

    [Test]
    public void A_level_outside_0_to_1_is_refused()
    {
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, Synthetic.Curve(r => 8 * Math.Pow(r, -0.17), 9), Resource.Parameters);
        Assert.That(() => ProfileLikelihood.Parameter(fit, "beta", 95), Throws.TypeOf<InputException>());
        Assert.That(() => ProfileLikelihood.Parameter(fit, "gamma"), Throws.TypeOf<InputException>().With.Message.Contains("alpha, beta"));
    }
}
