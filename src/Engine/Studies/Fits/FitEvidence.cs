using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Extrapolation;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;

namespace ChemScale.Engine.Studies.Fits;

/// <summary>What points say beside one fit: how forms extrapolate, where a power law holds, whether the loss levels off. Null: the points
/// cannot tell.</summary>
public sealed record FitEvidence
{
    /// <summary>All families of as many resources, fitted to the small runs and scored on the largest decade.</summary>
    public ExtrapolationTest? Extrapolation { get; init; }

    /// <summary>Of one resource: where a straight line in logarithms holds.</summary>
    public PowerLawRegime? Regime { get; init; }

    /// <summary>Of one resource: E = 0 against E above 0.</summary>
    public Saturation? Saturation { get; init; }

    /// <summary>Between runs that differ in their seed alone.</summary>
    public SeedNoise? SeedNoise { get; init; }

    /// <summary>Probability of the fit's lack of fit if only seeds made noise.</summary>
    public double? LackOfFitPValue { get; init; }

    /// <summary>Power law through the runs that nothing cheaper equals, loss against compute.</summary>
    public FrontierLaw? Frontier { get; init; }

    /// <summary>Best model size at each compute; null where no compute was spent on three sizes.</summary>
    public IsoFlopMinima? IsoFlop { get; init; }

    /// <param name="points">That the fit was made to.</param>
    /// <param name="fit">Of a family.</param>
    /// <param name="options">Of further fits.</param>
    /// <param name="level">Of intervals.</param>
    public static FitEvidence Of(ScalingPoints points, ScalingFit fit, FitOptions options, double level)
    {
        bool joint = fit.Resources.Count == 2;
        bool compute = points.Kept.All(p => p.C is not null);
        SeedNoise? noise = SeedNoise.Of(points);
        return new FitEvidence
        {
            Extrapolation = Answer(() => ExtrapolationTest.Run(points, joint ? ScalingFamilies.Joint : ScalingFamilies.OfOneResource, fit.Resources,
                joint && compute ? Resource.Compute : null, options: options)),
            Regime = joint ? null : PowerLawRegime.Find(points, fit.Resources[0]),
            Saturation = joint ? null : Answer(() => Saturation.Test(points, fit.Resources[0], level)),
            SeedNoise = noise,
            LackOfFitPValue = noise?.LackOfFitPValue(fit),
            Frontier = compute ? Answer(() => FrontierLaw.Of(points, options, level)) : null,
            IsoFlop = compute && points.Kept.All(p => p.N is not null) && IsoFlopMinima.Of(points) is var minima
                && minima.Minima.Any(m => m.Parameters is not null) ? minima : null,
        };
    }

    // A question that the points cannot carry has no answer; the fit stands without it.
    private static T? Answer<T>(Func<T> question)
        where T : class
    {
        try
        {
            return question();
        }
        catch (InputException)
        {
            return null;
        }
    }
}

/// <summary>L = alpha C^-beta through the compute frontier.</summary>
/// <param name="Count">Runs on it.</param>
/// <param name="Fit">Of <see cref="LogSumExpFamily.PowerLaw"/>.</param>
/// <param name="Beta">Profile interval of the exponent.</param>
public sealed record FrontierLaw(int Count, ScalingFit Fit, ParameterInterval Beta)
{
    /// <exception cref="InputException">Too few runs are on the frontier.</exception>
    public static FrontierLaw Of(ScalingPoints points, FitOptions options, double level)
    {
        ScalingPoints frontier = ComputeFrontier.Of(points);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, frontier, Resource.Compute, options);
        return new FrontierLaw(frontier.Kept.Count, fit, ProfileLikelihood.Parameter(fit, "beta", level));
    }
}
