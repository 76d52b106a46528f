namespace ChemScale.Engine.Scaling.Families;

/// <summary>Another form plus an irreducible loss E: log L = log(exp(inner) + exp(e)), e the last parameter.</summary>
public sealed class FlooredFamily : ScalingFamily
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
