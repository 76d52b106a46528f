namespace ChemScale.Engine.Scaling.Families;

/// <summary>
/// L = b R^-c0 (1 + (R/d)^(1/f))^(-c1 f): exponent c0 below the break at d, c0 + c1 above it, over a width f in log R. Caballero et al.
/// 2022
/// (arXiv 2210.14891), one break.
/// </summary>
public sealed class BrokenPowerLaw : ScalingFamily
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
