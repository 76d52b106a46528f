namespace ChemScale.Engine.Numerics;

/// <summary>Distribution functions and quantiles behind intervals and tests.</summary>
internal static class Distributions
{
    // Lanczos, g = 7, 9 terms.
    private static readonly double[] Lanczos =
    [
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
        -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    /// <summary>Quantile of the standard normal distribution.</summary>
    public static double NormalQuantile(double p) => Quantile(p, NormalCdf, z => Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI));

    public static double NormalCdf(double z) => z == 0 ? 0.5 : z > 0 ? 1 - UpperGamma(0.5, z * z / 2) / 2 : UpperGamma(0.5, z * z / 2) / 2;

    /// <summary>Quantile of Student's t distribution.</summary>
    public static double StudentQuantile(double p, double degrees) =>
        Quantile(p, t => StudentCdf(t, degrees), t => StudentDensity(t, degrees));

    public static double StudentCdf(double t, double degrees)
    {
        double tail = IncompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
        return t > 0 ? 1 - tail : tail;
    }

    /// <summary>P(F > f) with (<paramref name="degrees1"/>, <paramref name="degrees2"/>) degrees of freedom.</summary>
    public static double FisherTail(double f, double degrees1, double degrees2) =>
        f <= 0 ? 1 : IncompleteBeta(degrees2 / (degrees2 + degrees1 * f), degrees2 / 2, degrees1 / 2);

    /// <summary>P(X > x) of the chi-squared distribution.</summary>
    public static double ChiSquaredTail(double x, double degrees) => x <= 0 ? 1 : UpperGamma(degrees / 2, x / 2);

    /// <summary>Quantile of a sample by linear interpolation between order statistics (type 7); <paramref name="sorted"/>
    /// ascends.</summary>
    public static double SampleQuantile(IReadOnlyList<double> sorted, double p)
    {
        double at = p * (sorted.Count - 1);
        int below = Math.Clamp((int)Math.Floor(at), 0, sorted.Count - 1), above = Math.Min(below + 1, sorted.Count - 1);
        double lower = sorted[below], upper = sorted[above];
        return lower == upper || at == below ? lower : lower + (at - below) * (upper - lower);
    }

    public static double LogGamma(double x)
    {
        if (x < 0.5) return Math.Log(Math.PI / Math.Abs(Math.Sin(Math.PI * x))) - LogGamma(1 - x);
        double sum = Lanczos[0];
        for (int k = 1; k < Lanczos.Length; k++) sum += Lanczos[k] / (x - 1 + k);
        double t = x + 6.5;
        return 0.5 * Math.Log(2 * Math.PI) + (x - 0.5) * Math.Log(t) - t + Math.Log(sum);
    }

    /// <summary>Regularised incomplete beta function I_x(a, b), by its continued fraction (modified Lentz).</summary>
    public static double IncompleteBeta(double x, double a, double b)
    {
        if (x <= 0) return 0;
        if (x >= 1) return 1;
        if (x > (a + 1) / (a + b + 2)) return 1 - IncompleteBeta(1 - x, b, a);
        double front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * Math.Log(x) + b * Math.Log(1 - x)) / a;
        double c = 1, d = Floor(1 - (a + b) * x / (a + 1)), h = d = 1 / d;
        for (int m = 1; m < 1000; m++)
        {
            double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / Floor(1 + even * d);
            c = Floor(1 + even / c);
            h *= d * c;
            double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / Floor(1 + odd * d);
            c = Floor(1 + odd / c);
            h *= d * c;
            if (Math.Abs(d * c - 1) < 1e-16) break;
        }
        return front * h;
    }

    /// <summary>Regularised upper incomplete gamma function Q(a, x), by series or continued fraction.</summary>
    public static double UpperGamma(double a, double x)
    {
        if (x <= 0) return 1;
        double front = Math.Exp(a * Math.Log(x) - x - LogGamma(a));
        if (x < a + 1)
        {
            double term = 1 / a, sum = term;
            for (int k = 1; k < 1000 && term > sum * 1e-17; k++) sum += term *= x / (a + k);
            return 1 - front * sum;
        }
        double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
        for (int k = 1; k < 1000; k++)
        {
            double an = -k * (k - a);
            b += 2;
            d = 1 / Floor(an * d + b);
            c = Floor(b + an / c);
            h *= d * c;
            if (Math.Abs(d * c - 1) < 1e-16) break;
        }
        return front * h;
    }

    private static double StudentDensity(double t, double degrees)
    {
        double logarithm = LogGamma((degrees + 1) / 2) - LogGamma(degrees / 2) - (degrees + 1) / 2 * Math.Log(1 + t * t / degrees);
        return Math.Exp(logarithm) / Math.Sqrt(degrees * Math.PI);
    }

    // Of a symmetric distribution: Newton kept inside a bracket.
    private static double Quantile(double p, Func<double, double> cdf, Func<double, double> density)
    {
        if (p is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(p), p, "A probability strictly between 0 and 1.");
        if (p == 0.5) return 0;
        if (p > 0.5) return -Quantile(1 - p, cdf, density);
        double low = -1, high = 0;
        while (cdf(low) > p) (low, high) = (2 * low, low);
        double x = (low + high) / 2;
        for (int k = 0; k < 200; k++)
        {
            double error = cdf(x) - p;
            if (error > 0) high = x;
            else low = x;
            double next = x - error / density(x);
            if (!(next > low && next < high)) next = (low + high) / 2;
            if (Math.Abs(next - x) <= 1e-15 * Math.Abs(x)) return next;
            x = next;
        }
        return x;
    }

    private static double Floor(double x) => Math.Abs(x) < 1e-300 ? 1e-300 : x;
}

/// <summary>A confidence interval; an end that the data leave open is null.</summary>
/// <param name="Low">Null: unbounded below.</param>
/// <param name="High">Null: unbounded above.</param>
/// <param name="Level">Confidence, such as 0.95.</param>
public sealed record ConfidenceInterval(double? Low, double? High, double Level)
{
    public bool Contains(double value) => !(value < Low) && !(value > High);
}
