using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;

namespace ChemScale.Engine.Scaling.Intervals;

/// <summary>Whether the loss levels off: L = alpha R^-beta against L = alpha R^-beta + E with E above 0.</summary>
/// <param name="E">Best irreducible loss.</param>
/// <param name="Low">Of its profile interval; 0 where the points do not exclude it.</param>
/// <param name="High">Null where they leave it open.</param>
/// <param name="Level">Confidence of the interval.</param>
/// <param name="PValue">Probability of such an improvement if E were 0: half the tail of F with (1, n - 3) degrees, E being at its
/// border.</param>
/// <param name="Saturates">The p-value is below 1 - level, the interval excludes 0, and the points are enough.</param>
public sealed record Saturation(double E, double Low, double? High, double Level, double PValue, bool Saturates)
{
    /// <summary>Points that levelling off needs to be shown: the test has then two degrees of freedom.</summary>
    public const int PointsToShow = 5;

    /// <summary>How many there were.</summary>
    public int Points { get; init; }

    /// <summary>What may be said of it, in words.</summary>
    public string Words => Saturates ? "shown" : PValue >= 1 - Level ? "not shown"
        : Points < PointsToShow ? $"suggested; {PointsToShow} points would be needed to show it, and there are {Points}" : "suggested; the interval of E includes 0";

    /// <exception cref="InputException">The points cannot carry the form with a floor.</exception>
    public static Saturation Test(ScalingPoints points, Resource resource, double level = 0.95)
    {
        ScalingFit without = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, points, resource);
        ScalingFit with = ScalingFitter.Fit(LogSumExpFamily.PowerLawWithFloor, points, resource);
        int degrees = points.Kept.Count - 3;
        double gain = without.Objective - with.Objective;
        double p = gain <= 0 ? 1 : with.Objective > 0 ? Distributions.FisherTail(gain / (with.Objective / degrees), 1, degrees) / 2 : 0;
        ParameterInterval interval = ProfileLikelihood.Parameter(with, "E", level);
        return new Saturation(with["E"], interval.Low ?? 0, interval.High, level, p,
            p < 1 - level && interval.Low > 0 && points.Kept.Count >= PointsToShow)
        {
            Points = points.Kept.Count,
        };
    }
}
