namespace ChemScale.Engine.Scaling.Families;

/// <summary>
/// (L - E) / (E0 - L)^alpha = beta R^-c with E0 = E + gap: from the loss of guessing, E0, through a power law to the irreducible loss E.
/// M4 of
/// Alabdulmohsin et al. 2022 (arXiv 2209.06640).
/// </summary>
internal sealed class SigmoidalFamily : ScalingFamily
{
    private static readonly ParameterInfo[] Info =
    [
        ParameterInfo.Logarithmic("beta"), ParameterInfo.Logarithmic("c"), ParameterInfo.Logarithmic("alpha"),
        ParameterInfo.Logarithmic("E"), ParameterInfo.Logarithmic("gap"),
    ];

    private const int Size = 5, AlphaIndex = 2, FloorIndex = 3, GapIndex = 4;

    public static SigmoidalFamily M4 { get; } = new();

    public override string Name => "m4";

    public override string Formula => "(L - E) / (E + gap - L)^alpha = beta R^-c";

    public override int Inputs => 1;

    public override IReadOnlyList<ParameterInfo> Parameters => Info;

    public override IReadOnlyList<VanishingTerm> Vanishing { get; } = [new VanishingTerm(FloorIndex, "E")];

    // L = E + gap s, s = sigmoid(v), where phi(v) = log s - alpha log(1 - s) = h = log beta - c x - (1 - alpha) log gap.
    public override double LogLoss(ReadOnlySpan<double> theta, ReadOnlySpan<double> logResources, Span<double> gradient,
        Span<double> hessian)
    {
        double x = logResources[0], c = Math.Exp(theta[1]), alpha = Math.Exp(theta[AlphaIndex]);
        double floor = Math.Exp(theta[FloorIndex]), gap = Math.Exp(theta[GapIndex]), logGap = theta[GapIndex];
        double v = Solve(theta[0] - c * x - (1 - alpha) * logGap, alpha), s = Logistic.Sigmoid(v), loss = floor + gap * s;
        if (gradient.IsEmpty) return Math.Log(loss);

        // Derivatives of v in h and alpha, from phi(v, alpha) = h.
        double rest = Logistic.Sigmoid(-v), soft = Logistic.Softplus(v), slope = rest + alpha * s, bend = (alpha - 1) * s * rest;
        double vh = 1 / slope, va = -soft / slope;
        double vhh = -bend / (slope * slope * slope), vha = -(bend * va + s) / (slope * slope);
        double vaa = -s * va / slope + soft * (bend * va + s) / (slope * slope);

        // First derivatives of h and alpha in theta; second ones below.
        ReadOnlySpan<double> dh = [1, -c * x, alpha * logGap, 0, alpha - 1], da = [0, 0, alpha, 0, 0];
        Span<double> dv = stackalloc double[Size];
        for (int i = 0; i < Size; i++) dv[i] = vh * dh[i] + va * da[i];
        double s1 = s * rest, s2 = s1 * (rest - s);
        for (int i = 0; i < Size; i++) gradient[i] = gap * s1 * dv[i] / loss;
        gradient[FloorIndex] += floor / loss;
        gradient[GapIndex] += gap * s / loss;
        for (int i = 0; i < Size; i++)
        {
            for (int j = i; j < Size; j++)
            {
                double ddh = (i, j) switch
                {
                    (1, 1) => -c * x,
                    (AlphaIndex, AlphaIndex) => alpha * logGap,
                    (AlphaIndex, GapIndex) => alpha,
                    _ => 0,
                };
                double ddv = vhh * dh[i] * dh[j] + vha * (dh[i] * da[j] + dh[j] * da[i]) + vaa * da[i] * da[j] + vh * ddh;
                if (i == AlphaIndex && j == AlphaIndex) ddv += va * alpha;
                double second = gap * (s2 * dv[i] * dv[j] + s1 * ddv);
                if (i == GapIndex) second += gap * s1 * dv[j];
                if (j == GapIndex) second += gap * s1 * dv[i];
                if (i == j && i == GapIndex) second += gap * s;
                if (i == j && i == FloorIndex) second += floor;
                hessian[i * Size + j] = hessian[j * Size + i] = second / loss - gradient[i] * gradient[j];
            }
        }
        return Math.Log(loss);
    }

    // Given E, E0 and alpha, the logarithm of the left side is a straight line in log R.
    public override IEnumerable<double[]> Starts(ScalingData data)
    {
        double least = Math.Exp(data.LogLoss.Min()), most = Math.Exp(data.LogLoss.Max());
        foreach (double low in (double[])[0.02, 0.5, 0.9, 0.98])
        {
            foreach (double high in (double[])[1.02, 1.3, 3, 20])
            {
                foreach (double alpha in (double[])[0.2, 1, 3])
                {
                    double floor = low * least, top = high * most;
                    (double? offset, double? slope) = data.Line(i => data.LogResources(i)[0],
                        i => Math.Log(Math.Exp(data.LogLoss[i]) - floor) - alpha * Math.Log(top - Math.Exp(data.LogLoss[i])));
                    if (slope < 0)
                        yield return [offset!.Value, Math.Log(-slope.Value), Math.Log(alpha), Math.Log(floor), Math.Log(top - floor)];
                }
            }
        }
    }

    // phi rises and bends one way only, so Newton's method reaches its root from either side.
    private static double Solve(double h, double alpha)
    {
        double v = h < 0 ? h : h / alpha;
        for (int k = 0; k < 100; k++)
        {
            double s = Logistic.Sigmoid(v), error = alpha * Logistic.Softplus(v) - Logistic.Softplus(-v) - h;
            double step = error / (1 - s + alpha * s);
            v -= step;
            if (!(Math.Abs(step) > 1e-15 * (1 + Math.Abs(v)))) break;
        }
        return v;
    }
}

internal static class Logistic
{
    /// <summary>log(1 + e^z), at any z.</summary>
    public static double Softplus(double z) => Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z)));

    /// <summary>1 / (1 + e^-z), its small values to full relative precision.</summary>
    public static double Sigmoid(double z) => z >= 0 ? 1 / (1 + Math.Exp(-z)) : Math.Exp(z) / (1 + Math.Exp(z));
}
