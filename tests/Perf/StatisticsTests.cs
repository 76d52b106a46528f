using System.Text.Json.Nodes;
using ChemScale.Perf.Benchmarks;
using ChemScale.Perf.Measuring;
using NUnit.Framework;

namespace ChemScale.Tests.Perf;

/// <summary>What times come to: medians, quartiles, slopes, and the costs that they are set against.</summary>
public sealed class StatisticsTests
{
    [Test]
    public void A_summary_interpolates_between_the_ordered_times()
    {
        var summary = Summary.Of([4.0, 1.0, 2.0, 3.0]);
        Assert.That(summary, Is.EqualTo(new Summary(4, 2.5, 1.75, 3.25, 1, 4)));
    }

    [Test]
    public void One_time_is_its_own_median() => Assert.That(Summary.Of([7.0]), Is.EqualTo(new Summary(1, 7, 7, 7, 7, 7)));

    [Test]
    public void No_times_have_no_median() => Assert.That(() => Summary.Of([]), Throws.ArgumentException);

    [Test]
    public void A_power_of_the_size_has_that_slope()
    {
        (double exponent, double? error) = Slope.Fit([.. new[] { 1e3, 1e4, 1e5, 1e6 }.Select(n => (n, 3e-9 * Math.Pow(n, 1.25)))]);
        Expect.Close(exponent, 1.25, absolute: 1e-12);
        Expect.Close(error, 0, absolute: 1e-9);
    }

    [Test]
    public void A_slope_of_scattered_times_has_the_error_of_least_squares()
    {
        // Log times 0, 2, 1 at log sizes 0, 1, 2: slope 1/2, residuals -1/2, 1, -1/2, error sqrt(1.5 / 1 / 2).
        (double exponent, double? error) = Slope.Fit([(1, 1), (Math.E, Math.Exp(2)), (Math.Exp(2), Math.E)]);
        Expect.Close(exponent, 0.5, absolute: 1e-12);
        Expect.Close(error, Math.Sqrt(0.75), absolute: 1e-12);
    }

    [Test]
    public void Slopes_are_taken_over_one_case_side_and_pass_at_a_time()
    {
        Measurement[] measurements =
        [
            Made(100, "kernels", "forward", 1), Made(1000, "kernels", "forward", 10), Made(100, "composed", "forward", 1),
            Made(1000, "composed", "forward", 100), Made(100, "kernels", "backward", 1),
        ];
        IReadOnlyList<Slope> slopes = Slope.Of(measurements);
        Assert.That(slopes.Select(s => (s.Side, s.Pass, s.Points, Math.Round(s.Exponent, 9))),
            Is.EquivalentTo(((string, string, int, double)[])[("kernels", "forward", 2, 1), ("composed", "forward", 2, 2)]));
        Assert.That(slopes[0].Case, Is.EqualTo("functions 20"));
    }

    [Test]
    public void Rates_are_the_costs_over_the_median()
    {
        var of = new Case(new JsonObject { ["edges"] = 10 }, "edges", 10, "edges");
        var m = Measurement.Of("radial", of, "kernels", new Pass("forward", Bytes: 100, Flops: 50), Summary.Of([1.0, 2.0, 9.0]), new Rates(200, 100, 400));
        Assert.That((m.ItemsPerSecond, m.BytesPerSecond, m.FlopsPerSecond), Is.EqualTo((5.0, 50.0, 25.0)));
        Assert.That((m.OfCopy, m.OfMatrix, m.OfMatrixBfloat16), Is.EqualTo((0.25, 0.25, 0.0625)));
    }

    /// <summary>The examples that docs/KERNELS.md works out.</summary>
    [Test]
    public void Costs_are_those_of_the_document()
    {
        Assert.That(RadialBenchmark.Passes(1, 20, gaussian: true).Select(p => (p.Bytes, p.Flops)),
            Is.EqualTo(((double?, double?)[])[(112, 660), (124, 780), (236, 1000)]));
        Expect.Close(FilterBenchmark.Passes(1, 128, 20).Select(p => p.Flops!.Value / 1e3), (double[])[37.9, 113.7, 298], absolute: 0.1);
        Assert.That(FilterBenchmark.Passes(1, 128, 20)[0].Bytes, Is.EqualTo(604));
        Expect.Close(MessageSteps.Passes(1, 128, 21).Select(p => p.Flops!.Value / 1e3), (double[])[18.2, 18.0 + 40.2, 36.9 + 35.8 + 64.1], absolute: 0.1);
        Expect.Close(MessageSteps.Passes(1, 128, 21).Select(p => p.Bytes!.Value / 1e3), (double[])[3.2, 2.2 + 10.0, 6.3 + 2.3 + 16.3], absolute: 0.1);
        Expect.Close(AttentionBenchmark.Passes(1, 37, 16, 8, 0).Select(p => p.Bytes!.Value / 37 / 1e3), (double[])[2.2, 6.5], absolute: 0.05);
        Expect.Close(AttentionBenchmark.Passes(1, 37, 16, 8, 0).Select(p => p.Flops!.Value / 37 / 1e3), (double[])[16, 47], absolute: 0.5);
        Assert.That(LayerBenchmark.Costs("layer norm", 128), Is.EqualTo(((double, double)[])[(1032, 1152), (2576, 2432)]));
        Assert.That(LayerBenchmark.Costs("cross-entropy", 128)!.Select(c => c.Bytes), Is.EqualTo((double[])[2764, 5488]));
        Assert.That((AdamWBenchmark.Update(10).Bytes, AdamWBenchmark.Update(10).Flops), Is.EqualTo((280.0, 140.0)));
    }

    private static Measurement Made(int edges, string side, string pass, double seconds) => new()
    {
        Benchmark = "radial",
        Parameters = new JsonObject { ["edges"] = edges, ["functions"] = 20 },
        Size = "edges",
        Side = side,
        Pass = pass,
        Seconds = Summary.Of([seconds]),
    };
}
