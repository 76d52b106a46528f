using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Numerics;

public class DistributionsTests
{
    // Published tables and closed forms: t with 1 degree is Cauchy, with 2 p = 1/2 + t / (2 sqrt(2 + t^2)).
    [TestCase(0.975, 1, 12.706204736174707)]
    [TestCase(0.975, 2, 4.302652729749464)]
    [TestCase(0.975, 10, 2.2281388519649385)]
    [TestCase(0.995, 27, 2.770682957122212)]
    [TestCase(0.025, 5, -2.5705818366147395)]
    public void Student_quantiles_match_tables(double p, double degrees, double expected) =>
        Expect.Close(Distributions.StudentQuantile(p, degrees), expected, absolute: 1e-9);

    [Test]
    public void Student_distribution_with_two_degrees_matches_its_closed_form([Values(-3.7, -0.2, 0.0, 0.9, 25)] double t) =>
        Expect.Close(Distributions.StudentCdf(t, 2), 0.5 + t / (2 * Math.Sqrt(2 + t * t)), absolute: 1e-14);

    [TestCase(0.975, 1.959963984540054)]
    [TestCase(0.5, 0)]
    [TestCase(1e-6, -4.753424308822899)]
    public void Normal_quantiles_match_tables(double p, double expected) =>
        Expect.Close(Distributions.NormalQuantile(p), expected, absolute: 1e-9);

    [Test]
    public void The_F_tail_of_t_squared_is_the_two_sided_t_tail([Values(0.3, 1.0, 2.7)] double t, [Values(3, 30)] int degrees) =>
        Expect.Close(Distributions.FisherTail(t * t, 1, degrees), 2 * (1 - Distributions.StudentCdf(t, degrees)), absolute: 1e-13);

    [Test]
    public void Chi_squared_with_two_degrees_is_exponential([Values(0.1, 1.0, 9.0)] double x) =>
        Expect.Close(Distributions.ChiSquaredTail(x, 2), Math.Exp(-x / 2), absolute: 1e-14);

    [Test]
    public void Log_gamma_of_integers_and_halves_matches_factorials()
    {
        Expect.Close(Distributions.LogGamma(11), Math.Log(3628800), absolute: 1e-12);
        Expect.Close(Distributions.LogGamma(0.5), Math.Log(Math.PI) / 2, absolute: 1e-13);
    }

    [Test]
    public void Sample_quantiles_interpolate_between_order_statistics()
    {
        double[] sorted = [1, 2, 4, 8];
        Assert.That(Distributions.SampleQuantile(sorted, 0.5), Is.EqualTo(3));
        Assert.That(Distributions.SampleQuantile(sorted, 0), Is.EqualTo(1));
        Assert.That(Distributions.SampleQuantile(sorted, 1), Is.EqualTo(8));
    }
}
