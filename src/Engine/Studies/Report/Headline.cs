using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// What a part found, in plain sentences: an exponent with its interval, or that the data cannot support one. Powers carry a caret.
/// </summary>
internal static class Headline
{
    /// <summary>The sentences on model size, data size, and compute where there is a frontier.</summary>
    public static IEnumerable<string> Scaling(StudyPart part)
    {
        yield return Sentence(part, ResourceNames.Parameters, "model size", "N", "parameters");
        yield return Sentence(part, ResourceNames.Items, "data size", "D", part.ItemName);
        if (part.Grid.Fits.Any(f => f.Resource == ResourceNames.Compute))
            yield return Sentence(part, ResourceNames.Compute, "compute", "C", "compute");
    }

    /// <summary>What selection did, and what that was worth.</summary>
    public static string Selection(SelectionSummary selection)
    {
        int count = selection.Configurations.Count;
        if (count == 0) return "No configurations were searched.";
        int kept = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Kept);
        string text = $"Training performance estimation kept {Numbers.Count(kept)} of {Numbers.Count(count)} configurations after "
            + $"{Numbers.Count(selection.ProbeEpochs)} of {SelectionFigures.Epochs(selection.FullEpochs)}, "
            + $"saving {Numbers.Percent(selection.ComputeSaved)} of the compute of running all to the end";
        return selection.Validated
            ? $"{text}; against the truth, {Agreement(selection)}."
            : text + "; not checked against the truth.";
    }

    public static string Agreement(SelectionSummary selection) =>
        $"R² = {Numbers.Significant(selection.R2, 3)}, Spearman ρ = {Numbers.Significant(selection.Spearman, 3)}";

    private static string Sentence(StudyPart part, string resource, string name, string symbol, string unit)
    {
        FitSummary? fit = Best(part.Grid.Fits.Where(f => f.Resource == resource));
        if (fit is null) return $"The data cannot support an exponent for {name}: no power law was fitted.";
        string basis = $"{Numbers.Count(fit.PointCount)} {(fit.PointCount == 1 ? "run" : "runs")}, {fit.Held}";
        string caution = fit.Caution.Length > 0 ? $" Caution: {fit.Caution.TrimEnd('.')}." : "";
        if (!HasInterval(fit)) return $"The data cannot support an exponent for {name} ({basis}).{caution}";
        string interval = $"95 % interval {Numbers.Fixed(fit.BetaLow!.Value, 3)} to {Numbers.Fixed(fit.BetaHigh!.Value, 3)}";
        if (fit.BetaLow <= 0 && fit.BetaHigh >= 0)
        {
            return $"The data cannot tell whether loss falls with {name}: the exponent is {Numbers.Fixed(fit.Beta, 3)}, "
                + $"but its {interval} includes zero ({basis}).{caution}";
        }
        string what = fit.Form == "power-law" ? "Loss" : $"Loss above a floor of {Numbers.Significant(fit.Floor)} {part.LossUnit}";
        string share = Numbers.Percent(Math.Pow(10, -fit.Beta));
        string effect = $"ten times the {unit} {(fit.Beta > 0 ? $"leave {share} of it" : $"make it {share}")}";
        return $"{what} {(fit.Beta > 0 ? "falls" : "rises")} with {name} as {symbol}^{Numbers.Fixed(-fit.Beta, 3)} "
            + $"(exponent {Numbers.Fixed(fit.Beta, 3)}, {interval}; {basis}): {effect}.{caution}";
    }

    /// <summary>The fit that says most: with an interval, no caution, over all points, of the plain form, with most points.</summary>
    private static FitSummary? Best(IEnumerable<FitSummary> fits) => fits
        .OrderByDescending(HasInterval).ThenBy(f => f.Caution.Length > 0).ThenBy(f => f.WithoutStillFalling)
        .ThenByDescending(f => f.Form == "power-law")
        .ThenByDescending(f => f.PointCount).ThenByDescending(f => f.HeldValue ?? 0).FirstOrDefault();

    private static bool HasInterval(FitSummary fit) =>
        double.IsFinite(fit.Beta) && double.IsFinite(fit.BetaLow ?? double.NaN) && double.IsFinite(fit.BetaHigh ?? double.NaN);
}
