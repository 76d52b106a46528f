namespace ChemScale.Perf.Measuring;

/// <summary>Least squares of log time against log size: 1 is linear.</summary>
/// <param name="Benchmark">Name.</param>
/// <param name="Case">The case without its size.</param>
/// <param name="Size">Which parameter is the size.</param>
/// <param name="Side">Which side.</param>
/// <param name="Pass">Which pass.</param>
/// <param name="Points">Sizes there were.</param>
/// <param name="Exponent">d log(median seconds) / d log(size)</param>
/// <param name="Error">Its standard error; null with two points, which any line meets.</param>
internal sealed record Slope(string Benchmark, string Case, string Size, string Side, string Pass, int Points, double Exponent, double? Error)
{
    /// <summary>Of everything that was measured at two sizes or more.</summary>
    public static IReadOnlyList<Slope> Of(IEnumerable<Measurement> measurements)
    {
        var slopes = new List<Slope>();
        var groups = measurements.Where(m => m.Size is not null).GroupBy(m => (m.Benchmark, Case: m.CaseWithoutSize, Size: m.Size!, m.Side, m.Pass));
        foreach (var group in groups)
        {
            (double Size, double Seconds)[] points = [.. group.Select(m => (m.SizeValue, m.Seconds.Median)).Where(p => p.Median > 0)];
            if (points.Select(p => p.Size).Distinct().Count() < 2) continue;
            (double exponent, double? error) = Fit(points);
            slopes.Add(new Slope(group.Key.Benchmark, group.Key.Case, group.Key.Size, group.Key.Side, group.Key.Pass, points.Length, exponent, error));
        }
        return slopes;
    }

    /// <param name="points">Positive; of two sizes at least.</param>
    public static (double Exponent, double? Error) Fit(IReadOnlyList<(double Size, double Seconds)> points)
    {
        double meanX = points.Average(p => Math.Log(p.Size)), meanY = points.Average(p => Math.Log(p.Seconds)), xx = 0, xy = 0;
        foreach ((double size, double seconds) in points)
        {
            double x = Math.Log(size) - meanX;
            xx += x * x;
            xy += x * (Math.Log(seconds) - meanY);
        }
        double exponent = xy / xx;
        if (points.Count < 3) return (exponent, null);
        double rest = points.Sum(p => Math.Pow(Math.Log(p.Seconds) - meanY - exponent * (Math.Log(p.Size) - meanX), 2));
        return (exponent, Math.Sqrt(rest / (points.Count - 2) / xx));
    }
}
