using ChemScale.Engine.Numerics;
using ChemScale.Engine.Numerics.Optimization;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;

namespace ChemScale.Engine.Scaling.Allocation;

/// <summary>Parameters and data that reach the least loss with a given compute, C = 6 N D.</summary>
/// <param name="Compute">FLOP.</param>
/// <param name="Parameters">N.</param>
/// <param name="Data">D, tokens or frames.</param>
/// <param name="Loss">Predicted.</param>
/// <param name="ParametersInterval">By bootstrap; null without one.</param>
/// <param name="DataInterval">The same.</param>
/// <param name="LossInterval">The same.</param>
public sealed record ComputeOptimum(double Compute, double Parameters, double Data, double Loss, ConfidenceInterval? ParametersInterval = null,
    ConfidenceInterval? DataInterval = null, ConfidenceInterval? LossInterval = null)
{
    /// <summary>Exponents a of N ~ C^a and b of D ~ C^b along the optimum: beta / (alpha + beta) and alpha / (alpha + beta).</summary>
    /// <exception cref="InputException">The fit is not of the joint form.</exception>
    internal static (double Parameters, double Data) Exponents(ScalingFit fit)
    {
        Law law = Law.Of(fit.Family, [.. fit.Theta]);
        return (law.Beta / (law.Alpha + law.Beta), law.Alpha / (law.Alpha + law.Beta));
    }

    /// <summary>The first of those exponents with its profile interval, and its interval by bootstrap beside it.</summary>
    internal static ClaimEstimate ExponentOfParameters(ScalingFit fit, Bootstrap? bootstrap, double level = 0.95)
    {
        ConfidenceInterval profile = ProfileLikelihood.Of(fit, new ShareOfParameters(fit.Family), level);
        ConfidenceInterval? percentiles = bootstrap?.IntervalOf(t => Law.Of(fit.Family, t).ShareOfParameters, level);
        return new ClaimEstimate("a", Exponents(fit).Parameters, profile.Low, profile.High, true, false, percentiles?.Low, percentiles?.High);
    }

    /// <summary>beta / (alpha + beta) with its derivatives.</summary>
    private sealed class ShareOfParameters(ScalingFamily family) : ISmoothObjective
    {
        private readonly int alpha = family.Parameters.ToList().FindIndex(p => p.Name == "alpha"), beta = family.Parameters.ToList().FindIndex(p => p.Name == "beta");

        public int Dimension => family.Parameters.Count;

        public double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian)
        {
            gradient.Clear();
            hessian.Clear();
            int n = Dimension;
            double a = x[alpha], b = x[beta], sum = a + b, cube = sum * sum * sum;
            gradient[alpha] = -b / (sum * sum);
            gradient[beta] = a / (sum * sum);
            hessian[alpha * n + alpha] = 2 * b / cube;
            hessian[beta * n + beta] = -2 * a / cube;
            hessian[alpha * n + beta] = hessian[beta * n + alpha] = (b - a) / cube;
            return b / sum;
        }
    }

    /// <summary>Hoffmann et al. 2022, equation 4: N = G (C/6)^a, D = (C/6)^b / G, G = (alpha A / (beta B))^(1 / (alpha + beta)).</summary>
    /// <param name="fit">Of L = E + A / N^alpha + B / D^beta, with or without E.</param>
    /// <param name="compute">C, FLOP.</param>
    /// <param name="bootstrap">Of the same fit, for intervals; null: none.</param>
    /// <param name="level">Of the intervals.</param>
    internal static ComputeOptimum At(ScalingFit fit, double compute, Bootstrap? bootstrap = null, double level = 0.95)
    {
        if (!(compute > 0)) throw new InputException("compute", $"{compute}", "a number above 0, in FLOP");
        (double n, double d, double loss) = Law.Of(fit.Family, [.. fit.Theta]).Optimum(compute);
        return new ComputeOptimum(compute, n, d, loss,
            bootstrap?.IntervalOf(t => Law.Of(fit.Family, t).Optimum(compute).N, level),
            bootstrap?.IntervalOf(t => Law.Of(fit.Family, t).Optimum(compute).D, level),
            bootstrap?.IntervalOf(t => Law.Of(fit.Family, t).Optimum(compute).Loss, level));
    }

    /// <summary>The least compute that reaches a loss, and how to spend it. Null where the loss is at or below E.</summary>
    /// <param name="fit">As for <see cref="At"/>.</param>
    /// <param name="loss">Wanted.</param>
    /// <param name="bootstrap">For an interval of the compute; its end is open where resamples never reach the loss.</param>
    /// <param name="level">Of the intervals.</param>
    internal static (ComputeOptimum Optimum, ConfidenceInterval? ComputeInterval)? ForLoss(ScalingFit fit, double loss, Bootstrap? bootstrap = null,
        double level = 0.95)
    {
        double compute = Law.Of(fit.Family, [.. fit.Theta]).ComputeFor(loss);
        if (!double.IsFinite(compute)) return null;
        return (At(fit, compute, bootstrap, level), bootstrap?.IntervalOf(t => Law.Of(fit.Family, t).ComputeFor(loss), level));
    }

    private readonly record struct Law(double A, double B, double E, double Alpha, double Beta)
    {
        public static Law Of(ScalingFamily family, double[] theta)
        {
            if (!ScalingFamilies.Joint.Contains(family))
                throw new InputException(family.Name, "not a form of parameters and data",
                    string.Join(" or ", ScalingFamilies.Joint.Select(f => f.Name)));
            double Value(string name)
            {
                int at = family.Parameters.ToList().FindIndex(p => p.Name == name);
                return at < 0 ? 0 : family.Parameters[at].Natural(theta[at]);
            }
            return new Law(Value("A"), Value("B"), Value("E"), Value("alpha"), Value("beta"));
        }

        public double ShareOfParameters => Beta / (Alpha + Beta);

        public (double N, double D, double Loss) Optimum(double compute)
        {
            double sum = Alpha + Beta, g = Math.Pow(Alpha * A / (Beta * B), 1 / sum);
            double n = g * Math.Pow(compute / 6, Beta / sum), d = Math.Pow(compute / 6, Alpha / sum) / g;
            return (n, d, E + A * Math.Pow(n, -Alpha) + B * Math.Pow(d, -Beta));
        }

        // Along the optimum L - E = K (C/6)^(-alpha beta / (alpha + beta)): a straight line in logarithms.
        public double ComputeFor(double loss)
        {
            if (!(loss > E)) return double.PositiveInfinity;
            double scale = Optimum(6).Loss - E, power = Alpha * Beta / (Alpha + Beta);
            return 6 * Math.Pow(scale / (loss - E), 1 / power);
        }
    }
}

/// <summary>The runs that nothing cheaper equals: lowest loss for their compute. A fit of these to C is the compute-optimal L(C).</summary>
internal static class ComputeFrontier
{
    /// <summary>The frontier, compute ascending; the rest are excluded by name.</summary>
    public static ScalingPoints Of(ScalingPoints points)
    {
        var frontier = new HashSet<ScalingPoint>(ReferenceEqualityComparer.Instance);
        double best = double.PositiveInfinity;
        foreach (ScalingPoint point in points.Kept.OrderBy(p => p.Of(Resource.Compute)).ThenBy(p => p.Loss))
        {
            if (point.Loss >= best) continue;
            best = point.Loss;
            frontier.Add(point);
        }
        ScalingPoints kept = points.Exclude(p => !frontier.Contains(p), "a run of no more compute has no more loss");
        return kept with { Kept = [.. kept.Kept.OrderBy(p => p.Of(Resource.Compute))] };
    }
}

/// <summary>How much of one resource brings the loss to a value, the others held.</summary>
/// <param name="Resource">Asked for.</param>
/// <param name="Loss">Wanted.</param>
/// <param name="Value">Needed; null where no amount reaches it.</param>
/// <param name="Interval">By bootstrap; null without one. An open upper end: some resamples never reach the loss.</param>
/// <param name="Refusal">Why there is no answer; empty where there is one.</param>
public sealed record Requirement(Resource Resource, double Loss, double? Value, ConfidenceInterval? Interval, string Refusal = "")
{
    private const double LeastLog = -50, MostLog = 250;

    /// <param name="fit">Any form that falls with the resource.</param>
    /// <param name="resource">One of the fit's.</param>
    /// <param name="loss">Above 0.</param>
    /// <param name="others">Values of the fit's other resources, in its order.</param>
    /// <param name="bootstrap">Of the same fit, for the interval.</param>
    /// <param name="level">Of the interval.</param>
    internal static Requirement For(ScalingFit fit, Resource resource, double loss, IReadOnlyList<double>? others = null,
        Bootstrap? bootstrap = null, double level = 0.95)
    {
        int at = fit.Resources.ToList().IndexOf(resource);
        if (at < 0) throw new InputException("resource", resource.ToString(), string.Join(", ", fit.Resources));
        if (!(loss > 0)) throw new InputException("loss", $"{loss}", "a number above 0");
        if ((others?.Count ?? 0) != fit.Resources.Count - 1)
            throw new InputException("other resources", $"{others?.Count ?? 0}", $"{fit.Resources.Count - 1}");
        double[] logs = new double[fit.Resources.Count];
        for (int k = 0, o = 0; k < logs.Length; k++) if (k != at) logs[k] = Math.Log(others![o++]);
        double value = Solve([.. fit.Theta]);
        return new Requirement(resource, loss, double.IsFinite(value) ? value : null, bootstrap?.IntervalOf(Solve, level));

        double Solve(double[] theta)
        {
            double[] x = [.. logs];
            double low = LeastLog, high = MostLog;
            if (LogLoss(high) > Math.Log(loss)) return double.PositiveInfinity;
            if (LogLoss(low) <= Math.Log(loss)) return 0;
            for (int k = 0; k < 200 && high - low > 1e-13 * Math.Abs(high); k++)
            {
                double middle = (low + high) / 2;
                if (LogLoss(middle) > Math.Log(loss)) low = middle;
                else high = middle;
            }
            return Math.Exp((low + high) / 2);

            double LogLoss(double logResource)
            {
                x[at] = logResource;
                return fit.Family.LogLoss(theta, x);
            }
        }
    }
}
