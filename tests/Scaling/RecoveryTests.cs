using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

public class RecoveryTests
{
    private static IEnumerable<TestCaseData> Laws()
    {
        yield return Law(SaturatingFamily.M3, ("beta", 30), ("gamma", 1e-6), ("c", 0.3));
        yield return Law(SigmoidalFamily.M4, ("beta", 40), ("c", 0.5), ("alpha", 0.7), ("E", 0.6), ("gap", 5));
        yield return Law(BrokenPowerLaw.OneBreak, ("b", 9), ("c0", 0.05), ("c1", 0.2), ("d", 1e6), ("f", 0.7));
        yield return Law(FlooredFamily.BrokenPowerLaw, ("b", 9), ("c0", 0.05), ("c1", 0.4), ("d", 1e5), ("f", 0.7), ("E", 0.2));

        static TestCaseData Law(ScalingFamily family, params (string, double)[] truth) =>
            new TestCaseData(family, truth).SetArgDisplayNames(family.Name);
    }

    [TestCaseSource(nameof(Laws))]
    public void Exact_points_give_back_their_law(ScalingFamily family, (string Name, double Value)[] truth)
    {
        double[] theta = [.. family.Parameters.Zip(truth, (p, t) => p.Fitted(t.Value))];
        ScalingPoints points = Synthetic.Curve(r => Math.Exp(family.LogLoss(theta, [Math.Log(r)])), 40, 1e3, 1e9);
        ScalingFit fit = ScalingFitter.Fit(family, points, Resource.Parameters);
        foreach ((string name, double value) in truth) Expect.Close(fit[name] / value, 1, absolute: 1e-4, message: name);
        Expect.Below(fit.Objective, 1e-18);
    }

    [Test]
    public void Exact_points_give_back_the_joint_law()
    {
        ScalingPoints points = Synthetic.Grid((n, d) => 0.7 + 50 * Math.Pow(n, -0.33) + 300 * Math.Pow(d, -0.42), 6);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.Chinchilla, points, [Resource.Parameters, Resource.Data]);
        foreach ((string name, double value) in new[] { ("E", 0.7), ("A", 50), ("B", 300), ("alpha", 0.33), ("beta", 0.42) })
            Expect.Close(fit[name] / value, 1, absolute: 1e-5, message: name);
    }
}
