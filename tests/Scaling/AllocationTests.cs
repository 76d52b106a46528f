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

    /// <summary>A ratio of coefficients of a straight fit has Fieller's interval (1954): the one that the profile of the vertex must give.</summary>
    [Test]
    public void The_interval_of_a_minimum_is_Fiellers()
    {
        double[] x = [8.5, 9.6, 10.4, 11.1, 12.3, 12.9], noise = [0.004, -0.006, 0.003, 0.005, -0.007, 0.001];
        double[] y = [.. x.Select((v, i) => 0.2 + 0.03 * (v - 10.9) * (v - 10.9) + noise[i])];
        IsoFlopMinimum minimum = IsoFlopMinima.Of(new ScalingPoints(
            [.. x.Select((v, i) => new ScalingPoint { N = Math.Exp(v), C = 1e12, Loss = Math.Exp(y[i]) })])).Minima.Single();

        const double Middle = 10.8;
        double[,] a = new double[3, 6];
        for (int i = 0; i < x.Length; i++)
        {
            double[] row = [1, x[i] - Middle, (x[i] - Middle) * (x[i] - Middle)];
            for (int r = 0; r < 3; r++) for (int c = 0; c < 3; c++) a[r, c] += row[r] * row[c];
        }
        for (int r = 0; r < 3; r++) a[r, 3 + r] = 1;
        for (int p = 0; p < 3; p++)
        {
            double pivot = a[p, p];
            for (int c = 0; c < 6; c++) a[p, c] /= pivot;
            for (int r = 0; r < 3; r++)
            {
                double factor = a[r, p];
                if (r != p) for (int c = 0; c < 6; c++) a[r, c] -= factor * a[p, c];
            }
        }
        double[] b = new double[3];
        for (int r = 0; r < 3; r++)
            for (int i = 0; i < x.Length; i++) b[r] += (a[r, 3] + a[r, 4] * (x[i] - Middle) + a[r, 5] * (x[i] - Middle) * (x[i] - Middle)) * y[i];
        double variance = x.Select((v, i) => Math.Pow(y[i] - b[0] - b[1] * (v - Middle) - b[2] * (v - Middle) * (v - Middle), 2)).Sum() / 3;
        // v is inside where |b1 + 2 v b2| <= t s(b1 + 2 v b2): a quadratic in v.
        double t = 3.182446305284263, t2 = t * t * variance, v11 = a[1, 4] * t2, v12 = a[1, 5] * t2, v22 = a[2, 5] * t2;
        double qa = 4 * (b[2] * b[2] - v22), qb = 4 * (b[1] * b[2] - v12), qc = b[1] * b[1] - v11, root = Math.Sqrt(qb * qb - 4 * qa * qc);
        Expect.Close(Math.Log(minimum.ParametersInterval!.Low!.Value), Middle + (-qb - root) / (2 * qa), absolute: 1e-9);
        Expect.Close(Math.Log(minimum.ParametersInterval.High!.Value), Middle + (-qb + root) / (2 * qa), absolute: 1e-9);
        Expect.Close(Math.Log(minimum.Parameters!.Value), Middle - b[1] / (2 * b[2]), absolute: 1e-9);
    }

    [Test]
    public void A_minimum_of_losses_that_are_nearly_straight_has_an_open_end_and_one_of_three_sizes_no_interval()
    {
        ScalingPoint[] points = [.. Enumerable.Range(0, 5).Select(i => new ScalingPoint
        {
            N = Math.Pow(10, 4 + i), D = 1e9 / Math.Pow(10, i / 2.0), C = 1e12, Loss = new[] { 1.3, 1.15, 1.02, 1.0, 1.01 }[i],
        })];
        IsoFlopMinimum minimum = IsoFlopMinima.Of(new ScalingPoints(points)).Minima.Single();
        Assert.That(minimum.ParametersInterval!.Low, Is.Not.Null);
        Expect.Close(Math.Log10(minimum.Data!.Value), 9 - (Math.Log10(minimum.Parameters!.Value) - 4) / 2, absolute: 1e-9, message: "between the points' own D");
        IsoFlopMinimum three = IsoFlopMinima.Of(new ScalingPoints([.. points[2..]])).Minima.Single();
        Assert.That(three.Parameters, Is.Not.Null);
        Assert.That(three.ParametersInterval, Is.Null);
    }
}
