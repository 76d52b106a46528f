using ChemScale.Engine;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

public class AllocationTests
{
    private static ScalingFit Joint(double noise = 0) => ScalingFitter.Fit(LogSumExpFamily.Chinchilla,
        Synthetic.Grid((n, d) => 0.7 + 50 * Math.Pow(n, -0.33) + 300 * Math.Pow(d, -0.42), 6, noise, 2),
        [Resource.Parameters, Resource.Data]);

    [Test]
    public void The_optimum_is_the_least_loss_among_splits_of_the_compute()
    {
        ScalingFit fit = Joint();
        const double compute = 1e16;
        ComputeOptimum optimum = ComputeOptimum.At(fit, compute);
        Expect.Close(6 * optimum.Parameters * optimum.Data, compute, relative: 1e-9);
        Expect.Close(fit.Predict(optimum.Parameters, optimum.Data), optimum.Loss, absolute: 1e-12);
        foreach (double shift in (double[])[0.5, 0.9, 0.99, 1.01, 1.1, 2])
            Expect.Above(fit.Predict(optimum.Parameters * shift, optimum.Data / shift), optimum.Loss);
        (double a, double b) = ComputeOptimum.Exponents(fit);
        Expect.Close(a + b, 1, absolute: 1e-12);
        Expect.Close(Math.Log10(ComputeOptimum.At(fit, 10 * compute).Parameters / optimum.Parameters), a, absolute: 1e-9);
    }

    [Test]
    public void Compute_for_a_loss_is_the_inverse_of_loss_for_a_compute()
    {
        ScalingFit fit = Joint(0.01);
        Bootstrap bootstrap = Bootstrap.Run(fit, new BootstrapOptions { Resamples = 100 });
        ComputeOptimum optimum = ComputeOptimum.At(fit, 1e16, bootstrap);
        var back = ComputeOptimum.ForLoss(fit, optimum.Loss, bootstrap);
        Expect.Close(back!.Value.Optimum.Compute / 1e16, 1, absolute: 1e-9);
        Assert.That(back.Value.ComputeInterval!.Contains(1e16), Is.True);
        Assert.That(optimum.LossInterval!.Contains(optimum.Loss), Is.True);
        Assert.That(optimum.ParametersInterval!.Contains(optimum.Parameters), Is.True);
        Assert.That(ComputeOptimum.ForLoss(fit, fit["E"]), Is.Null);
    }

    [Test]
    public void What_is_needed_for_a_loss_is_solved_for_any_form()
    {
        ScalingFit joint = Joint();
        ScalingFit single =
            ScalingFitter.Fit(SaturatingFamily.M3, Synthetic.Curve(r => 9 * Math.Pow(1 / r + 1e-6, 0.2), 12), Resource.Parameters);
        Requirement data = Requirement.For(joint, Resource.Data, 3, [1e7]);
        Expect.Close(joint.Predict(1e7, data.Value!.Value), 3, absolute: 1e-9);
        Requirement size = Requirement.For(single, Resource.Parameters, single.Predict(12345));
        Expect.Close(size.Value, 12345, absolute: 1e-6);
        Assert.That(Requirement.For(single, Resource.Parameters, 0.9 * 9 * Math.Pow(1e-6, 0.2)).Value, Is.Null);
        Assert.That(() => Requirement.For(single, Resource.Data, 1), Throws.TypeOf<InputException>());
        Assert.That(() => Requirement.For(joint, Resource.Data, 1), Throws.TypeOf<InputException>());
    }

    [Test]
    public void The_frontier_holds_what_nothing_cheaper_equals()
    {
        ScalingPoint[] points = [.. new (double C, double Loss)[] { (10, 2), (1, 5), (2, 5.5), (5, 3), (5, 2.9), (20, 2) }
            .Select((p, i) => new ScalingPoint { C = p.C, Loss = p.Loss, Name = $"p{i}" })];
        ScalingPoints frontier = ComputeFrontier.Of(new ScalingPoints(points));
        Assert.That(frontier.Kept.Select(p => p.Name), Is.EqualTo(new[] { "p1", "p4", "p0" }));
        Assert.That(frontier.Excluded, Has.Count.EqualTo(3));
    }

    [Test]
    public void Iso_FLOP_minima_find_the_exponents_of_the_optimum()
    {
        const double alpha = 0.35, beta = 0.35;
        var points = new List<ScalingPoint>();
        foreach (double c in (double[])[1e14, 1e15, 1e16])
        {
            // Alike exponents make each valley symmetric in log N, so that a parabola finds its middle.
            double middle = Math.Pow(50.0 / 300, 1 / (alpha + beta)) * Math.Sqrt(c / 6);
            for (int k = -3; k <= 3; k++)
            {
                double n = middle * Math.Pow(1.5, k), d = c / (6 * n);
                points.Add(new ScalingPoint { N = n, D = d, C = c, Loss = 0.7 + 50 * Math.Pow(n, -alpha) + 300 * Math.Pow(d, -beta) });
            }
        }
        IsoFlopMinima minima = IsoFlopMinima.Of(new ScalingPoints(points));
        Assert.That(minima.Minima, Has.Count.EqualTo(3));
        Expect.Close(minima.OptimalParameters.Exponent!.Value, -0.5, absolute: 1e-6);
        Expect.Close(minima.OptimalData.Exponent!.Value, -0.5, absolute: 1e-6);
        Assert.That(minima.OptimalParameters.Words, Does.Contain("best N rises with C: exponent 0.500"));
        Expect.Close(minima.Minima[1].Parameters, points[10].N!.Value, relative: 1e-4);
        IsoFlopMinima edge = IsoFlopMinima.Of(new ScalingPoints([.. points.Where((_, i) => i % 7 > 3)]));
        Assert.That(edge.Minima.Select(m => m.Problem), Has.All.EqualTo("the minimum lies outside the model sizes tried"));
        Assert.That(edge.OptimalParameters.Grade, Is.EqualTo(ClaimGrade.Refused));
    }
}
