using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;

namespace ChemScale.Engine.Scaling.Extrapolation;

/// <summary>How one family, fitted to the small runs, predicted the large ones.</summary>
/// <param name="Form">Its name.</param>
/// <param name="Rank">From 1 for the least <paramref name="LogError"/>; null where it could not be fitted.</param>
/// <param name="LogError">Root mean square of log predicted - log observed on the large runs.</param>
/// <param name="Bias">Mean of the same: above 0, the family promised too little.</param>
/// <param name="TrainingError">Root mean square on the small runs.</param>
/// <param name="Refusal">Why it was not fitted; null where it was.</param>
/// <param name="Predictions">One for each large run, in order.</param>
public sealed record ExtrapolationScore(string Form, int? Rank, double? LogError, double? Bias, double? TrainingError, string? Refusal,
    IReadOnlyList<FitResidual> Predictions);

/// <summary>Families ranked by what counts: fitted to the small runs, scored on the largest.</summary>
/// <param name="Split">Resource that parts small from large.</param>
/// <param name="Threshold">Runs above it are large.</param>
/// <param name="TrainingCount">Small runs.</param>
/// <param name="TestCount">Large runs.</param>
/// <param name="Scores">Best first; those not fitted last.</param>
public sealed record ExtrapolationTest(Resource Split, double Threshold, int TrainingCount, int TestCount,
    IReadOnlyList<ExtrapolationScore> Scores)
{
    /// <param name="points">At least one on each side.</param>
    /// <param name="families">To be ranked; all take as many resources as given.</param>
    /// <param name="resources">Of the families.</param>
    /// <param name="split">Usually compute for joint forms; null: the first of <paramref name="resources"/>.</param>
    /// <param name="factor">The large are those within this factor of the largest: 10, a decade.</param>
    /// <param name="options">Of the fits.</param>
    /// <exception cref="InputException">One side is empty.</exception>
    public static ExtrapolationTest Run(ScalingPoints points, IReadOnlyList<ScalingFamily> families, IReadOnlyList<Resource> resources,
        Resource? split = null, double factor = 10, FitOptions? options = null)
    {
        if (!(factor > 1)) throw new InputException("factor", $"{factor}", "a number above 1");
        Resource by = split ?? resources[0];
        // Measured compute wobbles in its last digits; a run exactly a decade below the largest is small.
        double threshold = points.Kept.Max(p => p.Of(by)) / factor * (1 + 1e-9);
        ScalingPoint[] large = [.. points.Kept.Where(p => p.Of(by) > threshold)];
        ScalingPoints small = points.Exclude(p => p.Of(by) > threshold, "held out for the extrapolation test");
        if (small.Kept.Count == 0)
            throw new InputException("extrapolation test", $"all {large.Length} points within a factor {factor}", "smaller runs to fit to",
                "use a smaller factor");
        ExtrapolationScore[] scores = [.. families.Select(f => Score(f, small, large, resources, options))];
        int rank = 0;
        return new ExtrapolationTest(by, threshold, small.Kept.Count, large.Length,
            [.. scores.OrderBy(s => s.LogError ?? double.PositiveInfinity).Select(s => s.LogError is null ? s : s with { Rank = ++rank })]);
    }

    private static ExtrapolationScore Score(ScalingFamily family, ScalingPoints small, ScalingPoint[] large,
        IReadOnlyList<Resource> resources, FitOptions? options)
    {
        ScalingFit fit;
        try
        {
            fit = ScalingFitter.Fit(family, small, resources, options);
        }
        catch (InputException refusal)
        {
            return new ExtrapolationScore(family.Name, null, null, null, null, refusal.Message, []);
        }
        FitResidual[] predictions = [.. large.Select(p =>
        {
            double predicted = fit.Predict([.. resources.Select(p.Of)]);
            return new FitResidual(p.Name, p.Loss, predicted, Math.Log(p.Loss / predicted));
        })];
        return new ExtrapolationScore(family.Name, null, RootMeanSquare(predictions), -predictions.Average(p => p.LogResidual),
            RootMeanSquare(fit.Residuals), null, predictions);
    }

    private static double RootMeanSquare(IReadOnlyCollection<FitResidual> residuals) =>
        Math.Sqrt(residuals.Average(r => r.LogResidual * r.LogResidual));
}
