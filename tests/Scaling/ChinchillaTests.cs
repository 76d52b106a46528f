using System.Diagnostics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

[Category("Data")]
public class ChinchillaTests
{
    // Optimum of data/README.md; the published refits stop in the flat valley beside it.
    private static readonly (string Name, double Fitted)[] Golden =
        [("A", 6.16924637), ("B", 7.67015673), ("E", 0.59730681), ("alpha", 0.34731050), ("beta", 0.36717243)];

    internal static ScalingPoints Points() => ScalingPoints
        .ReadCsv(ReferenceData.Require("fits/chinchilla_figure4.csv"), "Model Size", null, "Training FLOP").DropHighest(5);

    internal static ScalingFit Fit() => ScalingFitter.Fit(LogSumExpFamily.Chinchilla, Points(), [Resource.Parameters, Resource.Data],
        new FitOptions { Loss = ResidualLoss.Huber() });

    [Test]
    public void The_published_points_give_the_golden_optimum()
    {
        ScalingFit fit = Fit();
        foreach ((string name, double value) in Golden)
            Expect.Close(fit.Parameters.Single(p => p.Name == name).Fitted, value, absolute: 1e-6, message: name);
        Expect.AtMost(fit.Objective, 0.00101827401781);
        Expect.Below(fit.GradientNorm, 1e-12);
        Expect.Close(fit.LeastCurvature, 1e-4, absolute: 5e-5);
        Assert.That(fit.Converged, Is.True);
        Expect.Above(fit.StartsAgreeing, fit.Starts / 2);
        Assert.That(fit.PointCount, Is.EqualTo(240));
        Assert.That(fit.Excluded, Has.Count.EqualTo(5));
    }

    [Test]
    [Category("Slow")]
    public void Four_thousand_resamples_take_ten_seconds_on_two_cores_at_most()
    {
        ScalingFit fit = Fit();
        var clock = Stopwatch.StartNew();
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        var bootstrap = Bootstrap.Run(fit, new BootstrapOptions { Resamples = 4000 });
        // Processor time: other work on the machine must not fail the test.
        double seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        TestContext.Out.WriteLine($"{clock.Elapsed.TotalSeconds:0.0} s, {seconds:0.0} s of processor; " + string.Join("; ",
            bootstrap.Parameters().Select(p => $"{p.Name} {p.Low:0.###}..{p.High:0.###}")));
        Assert.That(bootstrap.Failed, Is.Zero);
        Expect.Below(seconds, 20);
    }
}
