using ChemScale.Engine.Numerics;
using ChemScale.Engine.Numerics.Optimization;
using ChemScale.Engine.Scaling.Families;

namespace ChemScale.Engine.Scaling.Fitting;

/// <summary>How to fit. The defaults suit points with noise of one size in log loss.</summary>
public sealed record FitOptions
{
    public ResidualLoss Loss { get; init; } = ResidualLoss.Squared;

    /// <summary>Best candidates of the family that are minimised from, and as many more shaken from the best.</summary>
    public int Starts { get; init; } = 12;

    /// <summary>Of the shaking.</summary>
    public ulong Seed { get; init; }
}

/// <summary>Fits families to points by <see cref="TrustRegion"/> from many starts. Deterministic.</summary>
internal static class ScalingFitter
{
    private const double GradientTolerance = 1e-12;

    /// <summary>One resource.</summary>
    /// <inheritdoc cref="Fit(ScalingFamily, ScalingPoints, IReadOnlyList{Resource}, FitOptions?)"/>
    public static ScalingFit Fit(ScalingFamily family, ScalingPoints points, Resource resource, FitOptions? options = null) =>
        Fit(family, points, [resource], options);

    /// <param name="family">The form.</param>
    /// <param name="points">At least one more than the form has parameters.</param>
    /// <param name="resources">What stands for its R; for joint forms, parameters and data.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="InputException">The points cannot carry the family (<see cref="Support.Missing"/>).</exception>
    public static ScalingFit Fit(ScalingFamily family, ScalingPoints points, IReadOnlyList<Resource> resources, FitOptions? options = null)
    {
        if (resources.Count != family.Inputs)
            throw new InputException(family.Name, $"{resources.Count} resources", $"{family.Inputs}, as in {family.Formula}");
        if (Support.Missing(family, points.Kept, resources) is { } missing) throw new InputException(family.Name, missing);
        options ??= new FitOptions();
        var data = ScalingData.Of(points.Kept, resources);
        List<Minimum> minima = Minimize(family, data, options);
        Minimum best = minima[0];
        if (!double.IsFinite(best.Value))
            throw new InputException(family.Name, "no start led to a finite fit", "points within the form's reach");
        int agreeing = minima.Count(m => m.Value <= best.Value * (1 + 1e-9) + 1e-300);
        return Describe(family, points, resources, options.Loss, data, best, minima.Count, agreeing);
    }

    /// <summary>Minima found, best first; terms that the data do not want are <see cref="VanishingTerm.Absent"/>.</summary>
    internal static List<Minimum> Minimize(ScalingFamily family, ScalingData data, FitOptions options)
    {
        var objective = new FitObjective(family, data, options.Loss);
        int n = family.Parameters.Count;
        double[] g = new double[n], h = new double[n * n];
        List<double[]> starts = [.. family.Starts(data).Select(s => (Start: s, Value: objective.Evaluate(s, g, h)))
            .Where(s => double.IsFinite(s.Value)).OrderBy(s => s.Value).Take(Math.Max(1, options.Starts)).Select(s => s.Start)];
        for (int k = starts.Count, first = 0; k > 0 && first < options.Starts; first++)
            starts.Add(Shake(starts[0], options.Seed, (ulong)first));
        var region = new TrustRegion(n);
        List<Minimum> minima = [.. starts.Select(s => region.Minimize(objective, s)).OrderBy(m => m.Value)];
        if (minima.Count == 0) return [new Minimum(new double[n], double.PositiveInfinity, double.PositiveInfinity, 0)];
        foreach (VanishingTerm term in family.Vanishing)
        {
            double[] held = new double[n];
            Array.Fill(held, double.NaN);
            held[term.Offset] = VanishingTerm.Absent;
            var without = new FitObjective(family, data, options.Loss, held);
            Minimum least = starts.Take(3).Append(minima[0].Point).Select(s => new TrustRegion(n - 1).Minimize(without, without.Free(s)))
                .MinBy(m => m.Value);
            if (least.Value <= minima[0].Value * (1 + 1e-10)) minima[0] = least with { Point = without.Complete(least.Point) };
        }
        return minima;
    }

    internal static double[] Shake(double[] start, ulong seed, ulong stream)
    {
        var random = new CounterRandom(seed, stream);
        double[] shaken = [.. start];
        for (int k = 0; k < shaken.Length; k++) shaken[k] += 0.3 * random.NextNormal() * Math.Max(0.3, Math.Abs(shaken[k]));
        return shaken;
    }

    private static ScalingFit Describe(ScalingFamily family, ScalingPoints points, IReadOnlyList<Resource> resources, ResidualLoss loss,
        ScalingData data, Minimum best, int starts, int agreeing)
    {
        double[] theta = best.Point;
        bool[] absent = [.. theta.Select(t => t <= VanishingTerm.Absent)];
        double[] held = [.. theta.Select((t, i) => absent[i] ? t : double.NaN)];
        var objective = new FitObjective(family, data, loss, held);
        int free = objective.Dimension;
        double[] gradient = new double[free], hessian = new double[free * free], vectors = new double[free * free];
        objective.Evaluate(objective.Free(theta), gradient, hessian);
        SymmetricEigen.Decompose(hessian, vectors, free);
        double least = Enumerable.Range(0, free).Min(k => hessian[k * free + k]), norm = gradient.Max(Math.Abs);
        double weights = data.Weight.Sum(), mean = data.LogLoss.Zip(data.Weight, (y, w) => y * w).Sum() / weights;
        double squares = 0, total = 0, slopes = 0;
        var residuals = new List<FitResidual>();
        for (int i = 0; i < data.Count; i++)
        {
            double predicted = family.LogLoss(theta, data.LogResources(i)), r = data.LogLoss[i] - predicted;
            squares += data.Weight[i] * r * r;
            total += data.Weight[i] * (data.LogLoss[i] - mean) * (data.LogLoss[i] - mean);
            slopes += data.Weight[i] * Math.Abs(loss.Slope(r));
            residuals.Add(new FitResidual(points.Kept[i].Name, points.Kept[i].Loss, Math.Exp(predicted), r));
        }
        // Terms of the gradient are slopes times logarithms of resources, of order 30.
        bool converged = norm <= Math.Max(GradientTolerance, 30 * slopes * 1e-15) && least > 0;
        FittedParameter[] parameters =
        [
            .. family.Parameters.Select(
                (p, i) => new FittedParameter(p.Name, p.Natural(theta[i]), p.FittedName, absent[i] ? null : theta[i])),
        ];
        return new ScalingFit(family, theta, points.Kept, loss)
        {
            Resources = resources,
            Parameters = parameters,
            Objective = best.Value,
            GradientNorm = norm,
            LeastCurvature = least,
            Converged = converged,
            Starts = starts,
            StartsAgreeing = agreeing,
            R2 = total > 0 ? 1 - squares / total : null,
            ResidualError = Math.Sqrt(squares / weights * data.Count / Math.Max(1, data.Count - free)),
            Residuals = residuals,
            Excluded = points.Excluded,
            Cautions = [.. Cautions()],
        };

        IEnumerable<string> Cautions()
        {
            if (!converged)
                yield return FormattableString.Invariant($"the fit did not settle: gradient {norm:0.0e+0}, least curvature {least:0.0e+0}");
            for (int i = 0; i < theta.Length; i++)
                if (absent[i]) yield return $"{parameters[i].Name} = 0 fits best: the points show no {parameters[i].Name}";
            foreach (FittedParameter p in parameters.Where(p => p.Name is "alpha" or "beta" && p.Fitted == p.Value && p.Value <= 0))
                yield return FormattableString.Invariant($"{p.Name} = {p.Value:0.###}: the loss does not fall");
        }
    }
}

/// <summary>Whether points can carry a family at all.</summary>
internal static class Support
{
    /// <summary>Why they cannot, in words; null where they can.</summary>
    public static string? Missing(ScalingFamily family, IReadOnlyList<ScalingPoint> points, IReadOnlyList<Resource> resources)
    {
        int parameters = family.Parameters.Count;
        if (points.Count < parameters + 1)
            return $"{points.Count} points for {parameters} parameters: at least {parameters + 1} are needed";
        double[] losses = [.. points.Select(p => p.Loss)];
        if (losses.Distinct().Count() == 1) return "every loss is the same";
        foreach (Resource resource in resources)
        {
            double[] values = [.. points.Select(p => p.Of(resource))];
            int distinct = values.Distinct().Count(), wanted = resources.Count == 1 ? parameters : 3;
            if (distinct < wanted)
                return $"{distinct} different values of {resource.ToString().ToLowerInvariant()}: at least {wanted} are needed";
            if (resources.Count == 1 && !ReferenceEquals(family, LogSumExpFamily.PowerLaw) && !(Correlation.Spearman(values, losses) < 0))
                return $"the loss does not fall as {resource.ToString().ToLowerInvariant()} grows";
        }
        return null;
    }
}
