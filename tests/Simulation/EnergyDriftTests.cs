using ChemScale.Engine.Numerics;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class EnergyDriftTests
{
    [Test]
    public void Slope_and_fluctuation_are_those_of_a_fit_over_all_points()
    {
        var random = new Random(2);
        // A large energy, so that sums of squares would lose what is looked for.
        double[] times = [.. Enumerable.Range(0, 5000).Select(i => 0.0005 * i)];
        double[] energies = [.. times.Select(t => -17_000 + 3e-3 * t + 1e-3 * random.NextDouble())];
        var drift = new EnergyDrift();
        for (int i = 0; i < times.Length; i++) drift.Add(times[i], energies[i]);
        LinearRegression fit = LinearRegression.Fit(times, [.. energies.Select(e => e + 17_000)])!;
        double n = times.Length;
        Expect.Close(drift.Slope, fit.Slope, absolute: 1e-8);
        Expect.Close(drift.Fluctuation, fit.ResidualError!.Value * Math.Sqrt((n - 2) / n), absolute: 1e-9);
    }

    [Test]
    public void Too_few_points_have_no_drift()
    {
        var drift = new EnergyDrift();
        drift.Add(0, 1);
        Assert.That(drift.Slope, Is.Null);
        drift.Add(1, 3);
        Expect.Close(drift.Slope, 2, absolute: 1e-12);
        Assert.That(drift.Fluctuation, Is.Null);
    }
}
