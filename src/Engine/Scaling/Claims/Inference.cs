using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;

namespace ChemScale.Engine.Scaling.Claims;

/// <summary>How a claim is made.</summary>
public sealed record ClaimOptions
{
    /// <summary>Name of the form.</summary>
    public string Family { get; init; } = LogSumExpFamily.PowerLaw.Name;

    /// <summary>Confidence of the intervals.</summary>
    public double Level { get; init; } = 0.95;

    /// <summary>What is the same for all points, for the words.</summary>
    public string Held { get; init; } = "";

    /// <summary>What the points' losses stand for.</summary>
    public string Quantity { get; init; } = "loss";

    /// <summary>Points of different values of another resource may be mixed.</summary>
    public bool Pool { get; init; }

    /// <summary>Of the fit and of the refits.</summary>
    public FitOptions Fit { get; init; } = new();

    /// <summary>Known before the fit, such as points that were still falling.</summary>
    public IReadOnlyList<string> Cautions { get; init; } = [];

    /// <summary>For intervals beside those by profile; 0 resamples: none.</summary>
    public BootstrapOptions Bootstrap { get; init; } = new() { Resamples = 0 };
}

/// <summary>Makes claims: fits a form, takes profile intervals, holds the fit against the largest points, grades.</summary>
public static class Inference
{
    /// <summary>Beyond this an exponent is a form that runs away, not a law.</summary>
    private const double LargestExponent = 5;

    // A resource that varies by less is held.
    private const double FlatRatio = 1.25;

    /// <summary>A power law of one resource, with 95 % intervals.</summary>
    /// <inheritdoc cref="Of(ScalingPoints, IReadOnlyList{Resource}, ClaimOptions?)"/>
    public static Claim Of(ScalingPoints points, Resource resource) => Of(points, [resource], null);

    /// <summary>One resource.</summary>
    /// <inheritdoc cref="Of(ScalingPoints, IReadOnlyList{Resource}, ClaimOptions?)"/>
    public static Claim Of(ScalingPoints points, Resource resource, ClaimOptions? options) => Of(points, [resource], options);

    /// <param name="points">Any number; too few are an answer, not an error.</param>
    /// <param name="resources">What stands for the form's R; for joint forms, parameters and data.</param>
    /// <param name="options">Null: a power law, 95 % intervals.</param>
    /// <exception cref="InputException">A point lacks a resource, a number is not above 0, or the form takes other resources.</exception>
    public static Claim Of(ScalingPoints points, IReadOnlyList<Resource> resources, ClaimOptions? options) => Of(points, resources, options, out _);

    /// <summary>With the resamples, where any were asked for and the claim is not refused.</summary>
    internal static Claim Of(ScalingPoints points, IReadOnlyList<Resource> resources, ClaimOptions? options, out Bootstrap? bootstrap)
    {
        options ??= new ClaimOptions();
        bootstrap = null;
        if (options.Level is not (> 0 and < 1)) throw new InputException("level", $"{options.Level}", "a number in (0, 1)");
        var family = ScalingFamilies.ByName(options.Family);
        if (resources.Count != family.Inputs)
            throw new InputException(family.Name, $"{resources.Count} resources", $"{family.Inputs}, as in {family.Formula}");
        ScalingData.Of(points.Kept, resources);
        int degrees = Math.Max(0, points.Kept.Count - family.Parameters.Count);
        var refused = new Claim
        {
            Family = family.Name,
            Formula = family.Formula,
            Quantity = options.Quantity,
            Resources = resources,
            Held = options.Held,
            Points = [.. points.Kept.Select(p => new ClaimPoint(p.Name, [.. resources.Select(p.Of)], p.Loss, null))],
            LeftOut = [.. points.Excluded.Select(e => new ClaimOmission(e.Point.Name, e.Reason))],
            Distinct = points.Kept.Count == 0 ? 0 : resources.Min(r => Distinct(points.Kept.Select(p => p.Of(r))).Length),
            Decades = points.Kept.Count == 0 ? 0 : resources.Min(r => Math.Log10(points.Kept.Max(p => p.Of(r)) / points.Kept.Min(p => p.Of(r)))),
            Degrees = degrees,
            Level = options.Level,
            Grade = ClaimGrade.Refused,
            Reason = "",
            Cautions = options.Cautions,
            Words = "",
        };
        if (Missing(points.Kept, family, resources, degrees, options.Pool) is { } missing) return Worded(refused with { Reason = missing });
        ScalingFit fit;
        try
        {
            fit = ScalingFitter.Fit(family, points, resources, options.Fit);
        }
        catch (InputException refusal)
        {
            return Worded(refused with { Reason = refusal.Found });
        }
        if (RunsAway(fit) is { } away) return Worded(refused with { Reason = away });
        if (options.Bootstrap.Resamples > 0) bootstrap = Bootstrap.Run(fit, options.Bootstrap);
        IReadOnlyList<ParameterInterval>? percentiles = bootstrap?.Parameters(options.Level);
        ClaimEstimate[] estimates = [.. ProfileLikelihood.Parameters(fit, options.Level).Select((p, i) => new ClaimEstimate(p.Name, p.Value, p.Low, p.High,
            Exponents(family).Contains(p.Name), fit.Theta[i] <= VanishingTerm.Absent, percentiles?[i].Low, percentiles?[i].High))];
        Claim claim = refused with
        {
            Points = [.. refused.Points.Select((p, i) => p with { Fitted = fit.Residuals[i].Predicted })],
            Estimates = estimates,
            ResidualError = fit.ResidualError,
            R2 = fit.R2,
            Extrapolation = ExtrapolationOfForm.Test(fit, options.Fit),
            Cautions = [.. options.Cautions, .. Cautions(fit, estimates)],
            Fit = fit,
        };
        return Worded(Graded(claim, fit.Converged));
    }

    /// <summary>Names of a form's exponents: what its grade depends on.</summary>
    internal static IReadOnlyList<string> Exponents(ScalingFamily family) => family.Inputs == 2 ? ["alpha", "beta"]
        : family.Parameters.Any(p => p.Name == "c0") ? ["c0"] : family.Parameters.Any(p => p.Name == "c") ? ["c"] : ["beta"];

    /// <summary>Values that differ by more than rounding, ascending.</summary>
    internal static double[] Distinct(IEnumerable<double> values)
    {
        var kept = new List<double>();
        foreach (double value in values.Order())
            if (kept.Count == 0 || value > kept[^1] * (1 + 1e-6)) kept.Add(value);
        return [.. kept];
    }

    private static string? Missing(IReadOnlyList<ScalingPoint> points, ScalingFamily family, IReadOnlyList<Resource> resources, int degrees, bool pool)
    {
        if (!pool && Pooled(points, resources) is { } mixed) return mixed;
        foreach (Resource resource in resources)
        {
            double[] values = Distinct(points.Select(p => p.Of(resource)));
            string symbol = ClaimText.Symbol(resource);
            if (values.Length < Claim.FewestDistinct)
                return $"{Count(values.Length, $"distinct value of {symbol}", $"distinct values of {symbol}")}, and {Claim.FewestDistinct} are needed";
            if (values[^1] < values[0] * FlatRatio)
                return FormattableString.Invariant($"{symbol} hardly varies, by a factor of {values[^1] / values[0]:G3}");
        }
        if (degrees < 1) return $"{points.Count} points leave no degree of freedom beside {family.Parameters.Count} parameters";
        double least = points.Min(p => p.Loss), most = points.Max(p => p.Loss);
        return most - least <= 1e-9 * most ? "every loss is the same" : null;
    }

    private static string? Pooled(IReadOnlyList<ScalingPoint> points, IReadOnlyList<Resource> resources)
    {
        if (resources.Count > 1 || points.Count == 0) return null;
        double[] n = Known(p => p.N), d = Known(p => p.D);
        string Mixed(double[] values, string symbol) => $"{values.Length} different values of {symbol} are mixed, and were not asked to be pooled";
        return resources[0] switch
        {
            Resource.Parameters => d.Length > 1 ? Mixed(d, "D") : null,
            Resource.Data => n.Length > 1 ? Mixed(n, "N") : null,
            _ => n.Length > 1 && d.Length > 1 ? Mixed(n, "N") : null,
        };

        double[] Known(Func<ScalingPoint, double?> of) => points.All(p => of(p) is not null) ? Distinct(points.Select(p => of(p)!.Value)) : [];
    }

    private static string? RunsAway(ScalingFit fit)
    {
        foreach (string name in Exponents(fit.Family))
        {
            if (!(Math.Abs(fit[name]) <= LargestExponent))
                return FormattableString.Invariant($"the form runs away on these points: {name} passes {LargestExponent:G3}");
        }
        return fit.Parameters.Any(p => !double.IsFinite(p.Value)) ? "the form runs away on these points" : null;
    }

    private static IEnumerable<string> Cautions(ScalingFit fit, ClaimEstimate[] estimates)
    {
        foreach (string caution in fit.Cautions.Where(c => !c.EndsWith("does not fall", StringComparison.Ordinal))) yield return caution;
        foreach (ClaimEstimate e in estimates.Where(e => e.AtBound)) yield return $"{e.Name} lies on its bound 0: the intervals hold the truth more often than their level says";
        if (fit.Residuals.All(r => Math.Abs(r.LogResidual) < 1e-9))
            yield return "the points lie on the law to rounding: intervals without width say nothing of the noise between runs";
    }

    private static Claim Graded(Claim claim, bool settled)
    {
        if (!settled) return claim with { Grade = ClaimGrade.NotDetermined, Reason = "the fit did not settle" };
        if (claim.Exponents.FirstOrDefault(e => !e.ExcludesZero) is { } open)
        {
            string name = claim.Exponents.Count() > 1 ? $"the interval of {open.Name}" : "the interval";
            return claim with
            {
                Grade = ClaimGrade.NotDetermined,
                Reason = open.Low is null && open.High is null ? $"{name} is open on both sides" : $"{name} includes zero",
            };
        }
        if (claim.Exponents.FirstOrDefault(e => e.Low is null || e.High is null) is { } half)
            return claim with { Grade = ClaimGrade.NotDetermined, Reason = $"the interval of {half.Name} has an open end" };
        string[] lacking = [.. Lacking(claim)];
        return claim with { Grade = lacking.Length == 0 ? ClaimGrade.Shown : ClaimGrade.Suggested, Reason = string.Join("; ", lacking) };
    }

    private static IEnumerable<string> Lacking(Claim claim)
    {
        if (claim.Points.Count < Claim.PointsToShow) yield return $"{claim.Points.Count} points, and {Claim.PointsToShow} are needed";
        if (claim.Decades < Claim.DecadesToShow - 1e-9)
            yield return FormattableString.Invariant($"they span {claim.Decades:F2} decades, and {Claim.DecadesToShow:G3} are needed");
        if (claim.Extrapolation is not { } test) yield return "too few points to foretell the largest from the others";
        else if (!test.Passed)
            yield return FormattableString.Invariant($"fitted to the smaller {test.Small}, the form missed the largest {(test.Large == 1 ? "run" : test.Large)} by {OneLine.Percent(test.LogError, 1)} (p = {test.PValue:G2})");
    }

    private static Claim Worded(Claim claim)
    {
        if (claim.Grade != ClaimGrade.Refused) claim = claim with { Law = ClaimText.Law(claim) };
        return claim with { Words = ClaimText.Words(claim) };
    }

    private static string Count(int count, string one, string many) => count == 1 ? $"1 {one}" : $"{count} {many}";
}

/// <summary>Whether a form fitted to the smaller points foretells the largest within what its scatter allows.</summary>
internal static class ExtrapolationOfForm
{
    private const double Significance = 0.05;

    /// <summary>Null where the smaller points cannot carry the form.</summary>
    /// <param name="fit">To all points.</param>
    /// <param name="options">Of the refit.</param>
    public static ClaimExtrapolation? Test(ScalingFit fit, FitOptions options)
    {
        double[] sizes = [.. Inference.Distinct(fit.Points.Select(Size)).Reverse()];
        int parameters = fit.Family.Parameters.Count, fewest = Math.Max(Claim.FewestDistinct, parameters);
        // A quarter of the sizes, fewer where the rest would not carry the form.
        for (int held = Math.Max(1, sizes.Length / 4); held > 0; held--)
        {
            if (sizes.Length - held < fewest) continue;
            double threshold = Math.Sqrt(sizes[held - 1] * sizes[held]);
            ScalingPoint[] small = [.. fit.Points.Where(p => Size(p) < threshold)], large = [.. fit.Points.Where(p => Size(p) > threshold)];
            if (small.Length <= parameters || large.Length == 0) continue;
            return Test(fit, options, small, large, sizes[held - 1] / sizes[held]);
        }
        return null;

        // Joint forms: the large are those of most compute, N D.
        double Size(ScalingPoint point) => fit.Resources.Aggregate(1.0, (product, r) => product * point.Of(r));
    }

    private static ClaimExtrapolation? Test(ScalingFit whole, FitOptions options, ScalingPoint[] small, ScalingPoint[] large, double reach)
    {
        ScalingFit part;
        try
        {
            part = ScalingFitter.Fit(whole.Family, new ScalingPoints(small), whole.Resources, options);
        }
        catch (InputException)
        {
            return null;
        }
        ScalingPoint edge = small.MaxBy(p => whole.Resources.Aggregate(1.0, (product, r) => product * p.Of(r)))!;
        double unchanged = Math.Log(part.Predict([.. whole.Resources.Select(edge.Of)]));
        double[] errors = [.. large.Select(p => Math.Log(part.Predict([.. whole.Resources.Select(p.Of)]) / p.Loss))];
        double error = RootMeanSquare(errors), still = RootMeanSquare([.. large.Select(p => unchanged - Math.Log(p.Loss))]);
        double before = Squares(part), after = Squares(whole);
        int degrees = small.Length - whole.Family.Parameters.Count;
        // Points on the law to rounding leave no scatter to judge by.
        double p = before / small.Length < 1e-18 ? error < 1e-6 ? 1 : 0
            : Distributions.FisherTail(Math.Max(0, after - before) / large.Length / (before / degrees), large.Length, degrees);
        return new ClaimExtrapolation(small.Length, large.Length, reach, error, p, p >= Significance && error < still);
    }

    private static double Squares(ScalingFit fit) => fit.Residuals.Select((r, i) => fit.Points[i].Weight * r.LogResidual * r.LogResidual).Sum();

    private static double RootMeanSquare(double[] values) => Math.Sqrt(values.Average(v => v * v));
}
