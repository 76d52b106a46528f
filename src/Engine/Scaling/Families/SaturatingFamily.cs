namespace ChemScale.Engine.Scaling.Families;

/// <summary>
/// L = beta (1/R + gamma)^c, c above 0: a power law that levels off where R reaches 1/gamma. M3 of Alabdulmohsin et al. 2022
/// (arXiv 2209.06640).
/// </summary>
public sealed class SaturatingFamily : ScalingFamily
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
