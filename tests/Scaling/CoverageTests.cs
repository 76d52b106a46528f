using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Extrapolation;
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
        Expect.Close(100.0 * ofExponent / Sets, 95, absolute: 2);
        Expect.Close(100.0 * ofLoss / Sets, 95, absolute: 2);
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
            for (int set = 0; set < Sets; set++)
            {
                ScalingPoints points = Drawn(family, theta, set);
                ScalingFit fit = ScalingFitter.Fit(family, points, Resource.Parameters);
                Bootstrap bootstrap = Bootstrap.Run(fit, new BootstrapOptions { Kind = kind, Resamples = 400, Seed = (ulong)set });
                ParameterInterval interval = bootstrap.Parameters()[index];
                if (!(truth[index] < interval.Low) && !(truth[index] > interval.High)) ofExponent++;
                if (bootstrap.CurveInterval(0.95, 1e9).Contains(beyond)) ofLoss++;
            }
            TestContext.Out.WriteLine($"{family.Name}, {kind}: {exponent} {Percent(ofExponent)}, loss at 10 x {Percent(ofLoss)}");
            Expect.Between(100.0 * ofExponent / Sets, 70, 100);
        }
    }

    [Test]
    public void A_floor_that_is_not_there_is_reported_as_found()
    {
        double[] theta = [Math.Log(8), 0.17];
        double beyond = 8 * Math.Pow(1e9, -0.17);
        int found = 0, ofFloor = 0, ofExponent = 0, ofLoss = 0;
        Parallel.For(0, Sets, set =>
        {
            ScalingPoints points = Drawn(LogSumExpFamily.PowerLaw, theta, set);
            ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLawWithFloor, points, Resource.Parameters);
            if (Saturation.Test(points, Resource.Parameters).Saturates) Interlocked.Increment(ref found);
            if (ProfileLikelihood.Parameter(fit, "E").Low is null or 0) Interlocked.Increment(ref ofFloor);
            if (Holds(fit, "beta", 0.17)) Interlocked.Increment(ref ofExponent);
            if (ProfileLikelihood.Curve(fit, 0.95, 1e9).Contains(beyond)) Interlocked.Increment(ref ofLoss);
        });
        TestContext.Out.WriteLine($"E = 0: levelling off claimed in {Percent(found)}, E's interval reaches 0 in {Percent(ofFloor)}, beta {Percent(ofExponent)}, "
            + $"loss at 10 x {Percent(ofLoss)}");
        // The test's own level: 5 of 100.
        Expect.Close(100.0 * found / Sets, 5, absolute: 3);
    }

    [Test]
    public void A_break_is_reported_as_found()
    {
        (string Name, double Value)[] truth = [("b", 9), ("c0", 0.05), ("c1", 0.2), ("d", 1e6), ("f", 0.3)];
        ScalingFamily family = BrokenPowerLaw.OneBreak;
        double[] theta = [.. family.Parameters.Zip(truth, (p, t) => p.Fitted(t.Value))];
        double beyond = Math.Exp(family.LogLoss(theta, [Math.Log(1e9)]));
        int[] held = new int[truth.Length];
        int ofLoss = 0, narrower = 0;
        Parallel.For(0, Sets, set =>
        {
            ScalingPoints points = Drawn(family, theta, set);
            ScalingFit fit = ScalingFitter.Fit(family, points, Resource.Parameters);
            for (int k = 0; k < truth.Length; k++) if (Holds(fit, truth[k].Name, truth[k].Value)) Interlocked.Increment(ref held[k]);
            if (ProfileLikelihood.Curve(fit, 0.95, 1e9).Contains(beyond)) Interlocked.Increment(ref ofLoss);
            if (PowerLawRegime.Find(points, Resource.Parameters) is { WholeRange: false }) Interlocked.Increment(ref narrower);
        });
        TestContext.Out.WriteLine("one break: " + string.Join(", ", truth.Zip(held, (t, h) => $"{t.Name} {Percent(h)}"))
            + $", loss at 10 x {Percent(ofLoss)}; no power law over the whole range in {Percent(narrower)}");
        Expect.Above(narrower, Sets * 9 / 10);
    }

    [Test]
    public void The_wrong_family_is_reported_as_found()
    {
        ScalingFamily right = LogSumExpFamily.PowerLawWithFloor, wrong = LogSumExpFamily.PowerLaw;
        double[] theta = [Math.Log(30), 0.3, Math.Log(0.4)];
        double beyond = Math.Exp(right.LogLoss(theta, [Math.Log(1e9)]));
        int ofExponent = 0, ofLoss = 0, first = 0;
        Parallel.For(0, Sets, set =>
        {
            ScalingPoints points = Drawn(right, theta, set);
            ScalingFit fit = ScalingFitter.Fit(wrong, points, Resource.Parameters);
            if (Holds(fit, "beta", 0.3)) Interlocked.Increment(ref ofExponent);
            if (ProfileLikelihood.Curve(fit, 0.95, 1e9).Contains(beyond)) Interlocked.Increment(ref ofLoss);
            if (ExtrapolationTest.Run(points, [wrong, right], [Resource.Parameters]).Scores[0].Form == right.Name) Interlocked.Increment(ref first);
        });
        TestContext.Out.WriteLine($"a power law through points with a floor: beta {Percent(ofExponent)}, loss at 10 x {Percent(ofLoss)}; "
            + $"the extrapolation test ranks the right form first in {Percent(first)}");
        Expect.Above(first, Sets / 2);
    }

    private static bool Holds(ScalingFit fit, string name, double value)
    {
        ParameterInterval interval = ProfileLikelihood.Parameter(fit, name);
        return !(value < interval.Low) && !(value > interval.High);
    }

    private static string Percent(int count) => $"{100.0 * count / Sets:0.0} %";

    private static ScalingPoints Drawn(ScalingFamily family, double[] theta, int set) =>
        Synthetic.Curve(r => Math.Exp(family.LogLoss(theta, [Math.Log(r)])), Points, noise: Noise, seed: (ulong)set);
}
