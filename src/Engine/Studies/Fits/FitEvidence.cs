using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
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

    /// <summary>The power law of that stretch, where it is not all of the points.</summary>
    public Claim? RegimeLaw { get; init; }

    /// <summary>Of one resource: E = 0 against E above 0; null where a form with a floor says nothing.</summary>
    public Saturation? Saturation { get; init; }

    /// <summary>Between runs that differ in their seed alone.</summary>
    public SeedNoise? SeedNoise { get; init; }

    /// <summary>Probability of the fit's lack of fit if only seeds made noise.</summary>
    public double? LackOfFitPValue { get; init; }

    /// <summary>Power law through the runs that nothing cheaper equals, loss against compute.</summary>
    public Claim? Frontier { get; init; }

    /// <summary>Best model size at each compute; null where no compute was spent on three sizes.</summary>
    public IsoFlopMinima? IsoFlop { get; init; }

    /// <param name="points">That the fit was made to.</param>
    /// <param name="fit">Of a family.</param>
    /// <param name="options">Of further fits.</param>
    /// <param name="level">Of intervals.</param>
    internal static FitEvidence Of(ScalingPoints points, ScalingFit fit, FitOptions options, double level)
    {
        bool joint = fit.Resources.Count == 2;
        bool compute = points.Kept.All(p => p.C is not null);
        SeedNoise? noise = SeedNoise.Of(points);
        Resource resource = fit.Resources[0];
        PowerLawRegime? regime = joint ? null : PowerLawRegime.Find(points, resource);
        var power = new ClaimOptions { Level = level, Fit = options, Pool = true };
        return new FitEvidence
        {
            Extrapolation = Answer(() => ExtrapolationTest.Run(points, joint ? ScalingFamilies.Joint : ScalingFamilies.OfOneResource, fit.Resources,
                joint && compute ? Resource.Compute : null, options: options)),
            Regime = regime,
            RegimeLaw = regime is { WholeRange: false }
                ? Inference.Of(points.Exclude(p => p.Of(resource) < regime.Low * (1 - 1e-9) || p.Of(resource) > regime.High * (1 + 1e-9), "outside the stretch"),
                    resource, power) : null,
            Saturation = joint || Inference.Of(points, resource, power with { Family = LogSumExpFamily.PowerLawWithFloor.Name }).Grade == ClaimGrade.Refused ? null
                : Answer(() => Saturation.Test(points, resource, level)),
            SeedNoise = noise,
            LackOfFitPValue = noise?.LackOfFitPValue(fit),
            Frontier = compute ? Inference.Of(ComputeFrontier.Of(points), Resource.Compute, power with { Held = "frontier" }) : null,
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
