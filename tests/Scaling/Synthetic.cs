using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;

namespace ChemScale.Tests.Scaling;

/// <summary>Points drawn from a known law.</summary>
internal static class Synthetic
{
    /// <summary>R from <paramref name="low"/> to <paramref name="high"/>, evenly in log; log loss with normal noise.</summary>
    public static ScalingPoints Curve(Func<double, double> loss, int count, double low = 1e4, double high = 1e8, double noise = 0,
        ulong seed = 0)
    {
        var random = new CounterRandom(seed, 0);
        var points = new List<ScalingPoint>();
        for (int i = 0; i < count; i++)
        {
            double r = low * Math.Pow(high / low, i / (count - 1.0));
            points.Add(new ScalingPoint { N = r, Loss = loss(r) * Math.Exp(noise * random.NextNormal()), Name = $"p{i}" });
        }
        return new ScalingPoints(points);
    }

    /// <summary>A square grid in N and D.</summary>
    public static ScalingPoints Grid(Func<double, double, double> loss, int side, double noise = 0, ulong seed = 0)
    {
        var random = new CounterRandom(seed, 1);
        var points = new List<ScalingPoint>();
        for (int i = 0; i < side; i++)
        {
            for (int j = 0; j < side; j++)
            {
                double n = 1e5 * Math.Pow(10, 3.0 * i / (side - 1)), d = 1e6 * Math.Pow(10, 3.0 * j / (side - 1));
                double observed = loss(n, d) * Math.Exp(noise * random.NextNormal());
                points.Add(new ScalingPoint { N = n, D = d, C = 6 * n * d, Loss = observed, Name = $"p{i},{j}" });
            }
        }
        return new ScalingPoints(points);
    }
}
