using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Families;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

public class FamilyTests
{
    private static IEnumerable<ScalingFamily> Families() => ScalingFamilies.OfOneResource.Concat(ScalingFamilies.Joint);

    [TestCaseSource(nameof(Families))]
    public void Gradients_and_Hessians_match_finite_differences(ScalingFamily family)
    {
        int n = family.Parameters.Count;
        for (ulong trial = 0; trial < 50; trial++)
        {
            var random = new CounterRandom(5, trial);
            double[] theta = [.. Enumerable.Range(0, n).Select(_ => 2 * random.NextDouble() - 0.5)];
            double[] x = [.. Enumerable.Range(0, family.Inputs).Select(_ => 3 * random.NextDouble())];
            double[] g = new double[n], h = new double[n * n], above = new double[n], below = new double[n], scrap = new double[n * n];
            double value = family.LogLoss(theta, x, g, h);
            Expect.Close(family.LogLoss(theta, x), value, absolute: 1e-14);
            for (int k = 0; k < n; k++)
            {
                const double step = 1e-5;
                double[] up = [.. theta], down = [.. theta];
                up[k] += step;
                down[k] -= step;
                double slope = (family.LogLoss(up, x, above, scrap) - family.LogLoss(down, x, below, scrap)) / (2 * step);
                Expect.Close(g[k], slope, absolute: 1e-8 * (1 + Math.Abs(slope)), message: $"gradient {k}");
                for (int j = 0; j < n; j++)
                {
                    double curvature = (above[j] - below[j]) / (2 * step);
                    Expect.Close(h[k * n + j], curvature, absolute: 1e-7 * (1 + Math.Abs(curvature)), message: $"Hessian {k},{j}");
                    Expect.Close(h[k * n + j], h[j * n + k], absolute: 1e-13 * (1 + Math.Abs(curvature)));
                }
            }
        }
    }

    [Test]
    public void Sums_of_powers_match_their_formulas()
    {
        double[] log = [Math.Log(1e6), Math.Log(2e7)];
        Expect.Close(Math.Exp(LogSumExpFamily.PowerLaw.LogLoss([Math.Log(5), 0.2], log[..1])), 5 * Math.Pow(1e6, -0.2), absolute: 1e-12);
        Expect.Close(Math.Exp(LogSumExpFamily.PowerLawWithFloor.LogLoss([Math.Log(5), 0.2, Math.Log(0.7)], log[..1])), 5 * Math.Pow(1e6, -0.2) + 0.7, absolute: 1e-12);
        Expect.Close(Math.Exp(LogSumExpFamily.Chinchilla.LogLoss([Math.Log(50), Math.Log(60), Math.Log(1.5), 0.3, 0.4], log)),
            1.5 + 50 * Math.Pow(1e6, -0.3) + 60 * Math.Pow(2e7, -0.4), absolute: 1e-12);
    }

    [Test]
    public void Sums_of_powers_stay_finite_where_the_powers_do_not() =>
        Expect.Close(LogSumExpFamily.PowerLawWithFloor.LogLoss([900, 0.1, VanishingTerm.Absent], [20]), 898, absolute: 1e-9);

    [Test]
    public void The_saturating_form_matches_its_formula() =>
        Expect.Close(Math.Exp(SaturatingFamily.M3.LogLoss([Math.Log(30), Math.Log(1e-6), Math.Log(0.3)], [Math.Log(5e5)])), 30 * Math.Pow(1 / 5e5 + 1e-6, 0.3), absolute: 1e-12);

    [Test]
    public void The_sigmoidal_form_solves_its_equation([Values(0.2, 1.0, 4.0)] double alpha, [Values(1e2, 1e5, 1e9)] double r)
    {
        const double beta = 40, c = 0.3, floor = 0.5, gap = 6;
        double loss = Math.Exp(SigmoidalFamily.M4.LogLoss(
            [Math.Log(beta), Math.Log(c), Math.Log(alpha), Math.Log(floor), Math.Log(gap)], [Math.Log(r)]));
        Expect.Close((loss - floor) / Math.Pow(floor + gap - loss, alpha) / (beta * Math.Pow(r, -c)), 1, absolute: 1e-9);
    }

    [Test]
    public void The_broken_power_law_matches_its_formula_and_both_limits()
    {
        double[] theta = [Math.Log(7), 0.1, 0.2, Math.Log(1e6), Math.Log(0.5)];
        Expect.Close(Math.Exp(BrokenPowerLaw.OneBreak.LogLoss(theta, [Math.Log(3e6)])), 7 * Math.Pow(3e6, -0.1) * Math.Pow(1 + Math.Pow(3, 2), -0.1), absolute: 1e-12);
        Expect.Close(BrokenPowerLaw.OneBreak.LogLoss(theta, [5]) - BrokenPowerLaw.OneBreak.LogLoss(theta, [4]), -0.1, absolute: 1e-6);
        Expect.Close(BrokenPowerLaw.OneBreak.LogLoss(theta, [25]) - BrokenPowerLaw.OneBreak.LogLoss(theta, [24]), -0.3, absolute: 1e-6);
    }

    [Test]
    public void Families_are_found_by_name_and_listed_when_missing()
    {
        foreach (ScalingFamily family in Families()) Assert.That(ScalingFamilies.ByName(family.Name.ToUpperInvariant()), Is.SameAs(family));
        Assert.That(() => ScalingFamilies.ByName("cubic"),
            Throws.TypeOf<InputException>().With.Message.Contains("m3, m4, broken-power-law"));
    }
}
