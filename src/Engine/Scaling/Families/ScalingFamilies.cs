namespace ChemScale.Engine.Scaling.Families;

/// <summary>The forms by name.</summary>
internal static class ScalingFamilies
{
    /// <summary>Of one resource, simplest first.</summary>
    public static IReadOnlyList<ScalingFamily> OfOneResource { get; } =
    [
        LogSumExpFamily.PowerLaw, LogSumExpFamily.PowerLawWithFloor, SaturatingFamily.M3, SigmoidalFamily.M4, BrokenPowerLaw.OneBreak,
        FlooredFamily.BrokenPowerLaw,
    ];

    /// <summary>Of parameters and data, simplest first.</summary>
    public static IReadOnlyList<ScalingFamily> Joint { get; } = [LogSumExpFamily.ChinchillaWithoutFloor, LogSumExpFamily.Chinchilla];

    /// <exception cref="InputException">There is none of that name.</exception>
    public static ScalingFamily ByName(string name) =>
        OfOneResource.Concat(Joint).FirstOrDefault(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new InputException("family", $"\"{name}\"", string.Join(", ", OfOneResource.Concat(Joint).Select(f => f.Name)));
}

/// <summary>Another form plus an irreducible loss E: log L = log(exp(inner) + exp(e)), e the last parameter.</summary>
internal sealed class FlooredFamily : ScalingFamily
{
    private readonly ScalingFamily inner;
    private readonly ParameterInfo[] parameters;

    public FlooredFamily(ScalingFamily inner)
    {
        this.inner = inner;
        parameters = [.. inner.Parameters, ParameterInfo.Logarithmic("E", "e")];
        Vanishing = [new VanishingTerm(parameters.Length - 1, "E")];
    }

    public static FlooredFamily BrokenPowerLaw { get; } = new(Families.BrokenPowerLaw.OneBreak);

    public override string Name => inner.Name + "-with-floor";

    public override string Formula => inner.Formula + " + E";

    public override int Inputs => inner.Inputs;

    public override IReadOnlyList<ParameterInfo> Parameters => parameters;

    public override IReadOnlyList<VanishingTerm> Vanishing { get; }

    public override double LogLoss(ReadOnlySpan<double> theta, ReadOnlySpan<double> logResources, Span<double> gradient,
        Span<double> hessian)
    {
        int n = parameters.Length, m = n - 1;
        bool derivatives = !gradient.IsEmpty;
        Span<double> g = stackalloc double[derivatives ? m : 0], h = stackalloc double[derivatives ? m * m : 0];
        double own = inner.LogLoss(theta[..m], logResources, g, h), floor = theta[m];
        double total = Math.Max(own, floor) + Math.Log(1 + Math.Exp(-Math.Abs(own - floor)));
        if (!derivatives) return total;
        double share = Math.Exp(own - total), spread = share * Math.Exp(floor - total);
        for (int i = 0; i < m; i++)
        {
            gradient[i] = share * g[i];
            for (int j = 0; j < m; j++) hessian[i * n + j] = share * h[i * m + j] + spread * g[i] * g[j];
            hessian[i * n + m] = hessian[m * n + i] = -spread * g[i];
        }
        gradient[m] = Math.Exp(floor - total);
        hessian[m * n + m] = spread;
        return total;
    }

    public override IEnumerable<double[]> Starts(ScalingData data)
    {
        double least = Math.Exp(data.LogLoss.Min());
        foreach (double share in (double[])[0.05, 0.5, 0.9])
        {
            double floor = share * least;
            ScalingData above = data.With([.. data.LogLoss.Select(y => Math.Log(Math.Exp(y) - floor))]);
            foreach (double[] start in inner.Starts(above)) yield return [.. start, Math.Log(floor)];
        }
    }
}

/// <summary>
/// L = beta (1/R + gamma)^c, c above 0: a power law that levels off where R reaches 1/gamma. M3 of Alabdulmohsin et al. 2022
/// (arXiv 2209.06640).
/// </summary>
internal sealed class SaturatingFamily : ScalingFamily
{
    private static readonly ParameterInfo[] Info =
        [ParameterInfo.Logarithmic("beta"), ParameterInfo.Logarithmic("gamma"), ParameterInfo.Logarithmic("c")];

    public static SaturatingFamily M3 { get; } = new();

    public override string Name => "m3";

    public override string Formula => "L = beta (1/R + gamma)^c";

    public override int Inputs => 1;

    public override IReadOnlyList<ParameterInfo> Parameters => Info;

    public override IReadOnlyList<VanishingTerm> Vanishing { get; } = [new VanishingTerm(1, "gamma")];

    // log L = b + exp(t) u with u = log(1/R + gamma).
    public override double LogLoss(ReadOnlySpan<double> theta, ReadOnlySpan<double> logResources, Span<double> gradient,
        Span<double> hessian)
    {
        double c = Math.Exp(theta[2]), u = LogSum(-logResources[0], theta[1]);
        if (!gradient.IsEmpty)
        {
            double share = Math.Exp(theta[1] - u);
            gradient[0] = 1;
            gradient[1] = c * share;
            gradient[2] = c * u;
            hessian.Clear();
            hessian[4] = c * share * (1 - share);
            hessian[5] = hessian[7] = c * share;
            hessian[8] = c * u;
        }
        return theta[0] + c * u;
    }

    // Given gamma, log L is a straight line in u.
    public override IEnumerable<double[]> Starts(ScalingData data)
    {
        (double low, double high) = data.RangeLogResource(0);
        for (double logGamma = -high - 6; logGamma < -low + 0.1; logGamma += 0.75)
        {
            double gamma = logGamma;
            if (data.Line(i => LogSum(-data.LogResources(i)[0], gamma), i => data.LogLoss[i]) is ({ } offset, > 0 and { } slope))
                yield return [offset, gamma, Math.Log(slope)];
        }
    }

    private static double LogSum(double a, double b)
    {
        double top = Math.Max(a, b);
        return top + Math.Log(1 + Math.Exp(Math.Min(a, b) - top));
    }
}

/// <summary>
/// L = b R^-c0 (1 + (R/d)^(1/f))^(-c1 f): exponent c0 below the break at d, c0 + c1 above it, over a width f in log R. Caballero et al.
/// 2022
/// (arXiv 2210.14891), one break.
/// </summary>
internal sealed class BrokenPowerLaw : ScalingFamily
{
    private static readonly ParameterInfo[] Info =
    [
        ParameterInfo.Logarithmic("b"), ParameterInfo.Linear("c0"), ParameterInfo.Linear("c1"), ParameterInfo.Logarithmic("d"),
        ParameterInfo.Logarithmic("f"),
    ];

    public static BrokenPowerLaw OneBreak { get; } = new();

    public override string Name => "broken-power-law";

    public override string Formula => "L = b R^-c0 (1 + (R/d)^(1/f))^(-c1 f)";

    public override int Inputs => 1;

    public override IReadOnlyList<ParameterInfo> Parameters => Info;

    // log L = b - c0 x - c1 g with g = f softplus(z), z = (x - log d) / f.
    public override double LogLoss(ReadOnlySpan<double> theta, ReadOnlySpan<double> logResources, Span<double> gradient,
        Span<double> hessian)
    {
        double x = logResources[0], c1 = theta[2], f = Math.Exp(theta[4]), z = (x - theta[3]) / f, soft = Logistic.Softplus(z),
            g = f * soft;
        if (!gradient.IsEmpty)
        {
            double s = Logistic.Sigmoid(z), slope = s * Logistic.Sigmoid(-z), byWidth = f * (soft - z * s);
            gradient[0] = 1;
            gradient[1] = -x;
            gradient[2] = -g;
            gradient[3] = c1 * s;
            gradient[4] = -c1 * byWidth;
            hessian.Clear();
            hessian[13] = hessian[17] = s;
            hessian[14] = hessian[22] = -byWidth;
            hessian[18] = -c1 * slope / f;
            hessian[19] = hessian[23] = -c1 * slope * z;
            hessian[24] = -c1 * (byWidth + f * z * z * slope);
        }
        return theta[0] - theta[1] * x - c1 * g;
    }

    // Given break and width, log L is linear in the rest.
    public override IEnumerable<double[]> Starts(ScalingData data)
    {
        (double low, double high) = data.RangeLogResource(0);
        foreach (double width in (double[])[0.1, 0.5, 1.5])
        {
            for (int k = 1; k < 10; k++)
            {
                double at = low + (high - low) * k / 10;
                double[] normal = new double[12];
                for (int i = 0; i < data.Count; i++)
                {
                    double x = data.LogResources(i)[0];
                    ReadOnlySpan<double> row = [1, -x, -width * Logistic.Softplus((x - at) / width), data.LogLoss[i]];
                    for (int a = 0; a < 3; a++) for (int b = 0; b < 4; b++) normal[a * 4 + b] += data.Weight[i] * row[a] * row[b];
                }
                if (Elimination.Solve(normal, 3) is { } solved) yield return [solved[0], solved[1], solved[2], at, Math.Log(width)];
            }
        }
    }
}
