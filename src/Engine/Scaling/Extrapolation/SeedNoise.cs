using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Scaling.Extrapolation;

/// <summary>Noise of log loss between runs that differ in their seed alone, pooled over groups of equal N, D and C.</summary>
/// <param name="Groups">With two runs or more.</param>
/// <param name="Degrees">Of freedom: runs - groups.</param>
/// <param name="Error">Standard deviation of log loss.</param>
/// <param name="ErrorInterval">95 % by chi-squared.</param>
public sealed record SeedNoise(int Groups, int Degrees, double Error, ConfidenceInterval ErrorInterval)
{
    /// <summary>Null where no two runs share their resources.</summary>
    public static SeedNoise? Of(ScalingPoints points)
    {
        double[][] groups = [.. points.Kept.GroupBy(p => (p.N, p.D, p.C), p => Math.Log(p.Loss)).Select(g => g.ToArray())
            .Where(g => g.Length > 1)];
        if (groups.Length == 0) return null;
        double squares = groups.Sum(g => g.Sum(y => (y - g.Average()) * (y - g.Average())));
        int degrees = groups.Sum(g => g.Length - 1);
        return new SeedNoise(groups.Length, degrees, Math.Sqrt(squares / degrees),
            new ConfidenceInterval(Math.Sqrt(squares / Quantile(0.975, degrees)), Math.Sqrt(squares / Quantile(0.025, degrees)), 0.95));
    }

    /// <summary>
    /// Whether a fit misses the points by more than seeds do: probability of its lack of fit if the form were right, by F of the two
    /// variances.
    /// Null where nothing is left to judge by.
    /// </summary>
    internal double? LackOfFitPValue(Fitting.ScalingFit fit)
    {
        double seeds = Error * Error * Degrees, whole = fit.Residuals.Sum(r => r.LogResidual * r.LogResidual);
        int degrees = fit.PointCount - fit.Theta.Count - Degrees;
        return degrees > 0 && seeds > 0
            ? Distributions.FisherTail(Math.Max(0, whole - seeds) / degrees / (seeds / Degrees), degrees, Degrees) : null;
    }

    private static double Quantile(double p, int degrees)
    {
        double low = 0, high = 10.0 * degrees + 50;
        for (int k = 0; k < 100; k++)
        {
            double x = (low + high) / 2;
            if (1 - Distributions.ChiSquaredTail(x, degrees) < p) low = x;
            else high = x;
        }
        return (low + high) / 2;
    }
}
