using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Families;

namespace ChemScale.Engine.Scaling.Extrapolation;

/// <summary>
/// The widest stretch of a resource over which a straight line in logarithms holds: a quadratic term is neither significant nor bends the
/// exponent by more than a tolerance over the stretch.
/// </summary>
/// <param name="Low">Of the resource.</param>
/// <param name="High">Of the resource.</param>
/// <param name="Count">Points in it.</param>
/// <param name="Decades">log10(High / Low).</param>
/// <param name="PValue">Of the quadratic term; 1 where the points are exact.</param>
/// <param name="WholeRange">It is all of the points.</param>
public sealed record PowerLawRegime(double Low, double High, int Count, double Decades, double PValue, bool WholeRange)
{
    private const int FewestPoints = 4;

    /// <summary>Exponent there.</summary>
    internal double Beta { get; private init; }

    /// <summary>Change of the local exponent from <see cref="Low"/> to <see cref="High"/>, by the quadratic.</summary>
    internal double BetaChange { get; private init; }

    /// <summary>Null where no four neighbouring values of the resource show a falling power law.</summary>
    /// <param name="points">One series: everything but the resource alike.</param>
    /// <param name="resource">On the abscissa.</param>
    /// <param name="significance">A quadratic term with a smaller p-value breaks the regime...</param>
    /// <param name="tolerance">...where it also changes the exponent by more than this share of it.</param>
    public static PowerLawRegime? Find(ScalingPoints points, Resource resource, double significance = 0.05, double tolerance = 0.1)
    {
        ScalingPoint[] sorted = [.. points.Kept.OrderBy(p => p.Of(resource))];
        double[] x = [.. sorted.Select(p => Math.Log(p.Of(resource)))], y = [.. sorted.Select(p => Math.Log(p.Loss))];
        PowerLawRegime? best = null;
        for (int from = 0; from < x.Length; from++)
        {
            for (int to = x.Length; to - from >= FewestPoints; to--)
            {
                if (best is not null && (x[to - 1] - x[from]) / Math.Log(10) <= best.Decades) break;
                PowerLawRegime? found = Judge(x.AsSpan(from, to - from), y.AsSpan(from, to - from), to - from == x.Length, significance,
                    tolerance);
                if (found is not null) best = found;
            }
        }
        return best;
    }

    private static PowerLawRegime? Judge(ReadOnlySpan<double> x, ReadOnlySpan<double> y, bool whole, double significance, double tolerance)
    {
        int n = x.Length;
        double low = x[0], high = x[^1], middle = (low + high) / 2, half = (high - low) / 2;
        // Fewer leave the quadratic undetermined.
        if (!(half > 0) || Distinct(x) < FewestPoints) return null;
        double[] normal = new double[12];
        for (int i = 0; i < n; i++)
        {
            double z = (x[i] - middle) / half;
            ReadOnlySpan<double> row = [1, z, z * z, y[i]];
            for (int a = 0; a < 3; a++) for (int b = 0; b < 4; b++) normal[a * 4 + b] += row[a] * row[b];
        }
        if (LinearRegression.Fit(x.ToArray(), y.ToArray()) is not { Slope: < 0 } line || Elimination.Solve(normal, 3) is not { } c)
            return null;
        double curved = 0, straight = 0;
        for (int i = 0; i < n; i++)
        {
            double z = (x[i] - middle) / half, r = y[i] - c[0] - c[1] * z - c[2] * z * z, s = y[i] - line.Predict(x[i]);
            curved += r * r;
            straight += s * s;
        }
        double gain = Math.Max(0, straight - curved), rounding = 1e-24 * n;
        double p = gain <= rounding ? 1 : curved <= rounding ? 0 : Distributions.FisherTail(gain / (curved / (n - 3)), 1, n - 3);
        double change = -4 * c[2] / half;
        if (p < significance && Math.Abs(change) > tolerance * -line.Slope) return null;
        return new PowerLawRegime(Math.Exp(low), Math.Exp(high), n, (high - low) / Math.Log(10), p, whole) { Beta = -line.Slope, BetaChange = change };
    }

    private static int Distinct(ReadOnlySpan<double> sorted)
    {
        int count = 1;
        for (int i = 1; i < sorted.Length; i++) if (sorted[i] - sorted[i - 1] > 1e-6) count++;
        return count;
    }
}
