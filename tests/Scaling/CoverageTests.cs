using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

/// <summary>Do 95 % intervals hold the truth 95 times of 100? 30 points over four decades, 1,000 sets, seeds 0 .. 999.</summary>
[Category("Slow")]
public class CoverageTests
{
    private const int Sets = 1000, Points = 30;

    private const double Noise = 0.02;

    private static IEnumerable<TestCaseData> Laws()
    {
        yield return Law(LogSumExpFamily.PowerLaw, "beta", 8, 0.17);
        yield return Law(LogSumExpFamily.PowerLawWithFloor, "beta", 30, 0.3, 0.4);
        yield return Law(SaturatingFamily.M3, "c", 30, 1e-6, 0.3);

        static TestCaseData Law(ScalingFamily family, string exponent, params double[] truth) =>
            new TestCaseData(family, exponent, truth).SetArgDisplayNames(family.Name);
    }

    [TestCaseSource(nameof(Laws))]
    public void Profile_intervals_hold_exponent_and_tenfold_extrapolation(ScalingFamily family, string exponent, double[] truth)
    {
        double[] theta = [.. family.Parameters.Zip(truth, (p, t) => p.Fitted(t))];
        double value = truth[family.Parameters.ToList().FindIndex(p => p.Name == exponent)];
        double beyond = Math.Exp(family.LogLoss(theta, [Math.Log(1e9)]));
        int ofExponent = 0, ofLoss = 0;
        Parallel.For(0, Sets, set =>
        {
            ScalingPoints points = Drawn(family, theta, set);
            ScalingFit fit = ScalingFitter.Fit(family, points, Resource.Parameters);
            ParameterInterval interval = ProfileLikelihood.Parameter(fit, exponent);
            if (!(value < interval.Low) && !(value > interval.High)) Interlocked.Increment(ref ofExponent);
            if (ProfileLikelihood.Curve(fit, 0.95, 1e9).Contains(beyond)) Interlocked.Increment(ref ofLoss);
        });
        TestContext.Out.WriteLine($"{family.Name}: "
            + $"{exponent} {100.0 * ofExponent / Sets:0.0} %, loss at 10 x {100.0 * ofLoss / Sets:0.0} %");
        Assert.That(100.0 * ofExponent / Sets, Is.EqualTo(95).Within(2));
        Assert.That(100.0 * ofLoss / Sets, Is.EqualTo(95).Within(2));
    }

    [TestCaseSource(nameof(Laws))]
    public void Bootstrap_intervals_are_reported_as_found(ScalingFamily family, string exponent, double[] truth)
    {
        double[] theta = [.. family.Parameters.Zip(truth, (p, t) => p.Fitted(t))];
        int index = family.Parameters.ToList().FindIndex(p => p.Name == exponent);
        double beyond = Math.Exp(family.LogLoss(theta, [Math.Log(1e9)]));
        foreach (BootstrapKind kind in Enum.GetValues<BootstrapKind>())
        {
            int ofExponent = 0, ofLoss = 0;
            for (int set = 0; set < Sets / 5; set++)
            {
                ScalingPoints points = Drawn(family, theta, set);
                ScalingFit fit = ScalingFitter.Fit(family, points, Resource.Parameters);
                Bootstrap bootstrap = Bootstrap.Run(fit, new BootstrapOptions { Kind = kind, Resamples = 400, Seed = (ulong)set });
                ParameterInterval interval = bootstrap.Parameters()[index];
                if (!(truth[index] < interval.Low) && !(truth[index] > interval.High)) ofExponent++;
                if (bootstrap.CurveInterval(0.95, 1e9).Contains(beyond)) ofLoss++;
            }
            double percent = 100.0 * 5 / Sets;
            TestContext.Out.WriteLine($"{family.Name}, {kind}: "
                + $"{exponent} {percent * ofExponent:0.0} %, loss at 10 x {percent * ofLoss:0.0} %");
            Assert.That(percent * ofExponent, Is.InRange(70, 100));
        }
    }

    private static ScalingPoints Drawn(ScalingFamily family, double[] theta, int set) =>
        Synthetic.Curve(r => Math.Exp(family.LogLoss(theta, [Math.Log(r)])), Points, noise: Noise, seed: (ulong)set);
}
