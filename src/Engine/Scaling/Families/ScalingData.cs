namespace ChemScale.Engine.Scaling.Families;

/// <summary>Points as a fit sees them: logarithms of resources and loss, and weights.</summary>
public sealed class ScalingData
{
    private readonly double[] logResources;

    private ScalingData(double[] logResources, int inputs, double[] logLoss, double[] weight)
    {
        this.logResources = logResources;
        Inputs = inputs;
        LogLoss = logLoss;
        Weight = weight;
    }

    public int Count => LogLoss.Length;

    public int Inputs { get; }

    /// <summary>(Count).</summary>
    public double[] LogLoss { get; }

    /// <summary>(Count).</summary>
    public double[] Weight { get; }

    /// <summary>(Inputs) of one point.</summary>
    public ReadOnlySpan<double> LogResources(int point) => logResources.AsSpan(point * Inputs, Inputs);

    /// <exception cref="InputException">A point lacks a resource, or a number is not above 0.</exception>
    public static ScalingData Of(IReadOnlyList<ScalingPoint> points, IReadOnlyList<Resource> resources)
    {
        double[] x = new double[points.Count * resources.Count];
        for (int i = 0; i < points.Count; i++)
        {
            for (int k = 0; k < resources.Count; k++)
                x[i * resources.Count + k] = Log(points[i].Of(resources[k]), points[i], resources[k].ToString());
            if (!(points[i].Weight > 0 && double.IsFinite(points[i].Weight)))
                throw new InputException(points[i].Name, $"weight {points[i].Weight}", "a number above 0");
        }
        return new ScalingData(x, resources.Count, [.. points.Select(p => Log(p.Loss, p, "loss"))], [.. points.Select(p => p.Weight)]);
    }

    /// <summary>The same points with other losses or weights.</summary>
    public ScalingData With(double[]? logLoss = null, double[]? weight = null) =>
        new(logResources, Inputs, logLoss ?? LogLoss, weight ?? Weight);

    public double MeanLogResource(int input)
    {
        double sum = 0;
        for (int i = 0; i < Count; i++) sum += logResources[i * Inputs + input];
        return sum / Count;
    }

    public (double Low, double High) RangeLogResource(int input)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int i = 0; i < Count; i++)
        {
            low = Math.Min(low, logResources[i * Inputs + input]);
            high = Math.Max(high, logResources[i * Inputs + input]);
        }
        return (low, high);
    }

    /// <summary>Weighted straight line of one figure of the points on another; nulls where there is none.</summary>
    internal (double? Offset, double? Slope) Line(Func<int, double> x, Func<int, double> y)
    {
        double w = 0, wx = 0, wy = 0, xx = 0, xy = 0;
        for (int i = 0; i < Count; i++)
        {
            w += Weight[i];
            wx += Weight[i] * x(i);
            wy += Weight[i] * y(i);
        }
        double meanX = wx / w, meanY = wy / w;
        for (int i = 0; i < Count; i++)
        {
            xx += Weight[i] * (x(i) - meanX) * (x(i) - meanX);
            xy += Weight[i] * (x(i) - meanX) * (y(i) - meanY);
        }
        double slope = xy / xx;
        return double.IsFinite(slope) ? (meanY - slope * meanX, slope) : (null, null);
    }

    private static double Log(double value, ScalingPoint point, string what) => value > 0 && double.IsFinite(value) ? Math.Log(value)
        : throw new InputException(point.Name.Length > 0 ? point.Name : "point", $"{what.ToLowerInvariant()} {value}", "a number above 0");
}
