using System.Xml.Linq;
using ChemScale.Engine.Studies.Summary;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>Hyperparameter selection: figures, the table of configurations, agreement with the truth, the compute it saved.</summary>
internal static class SelectionSection
{
    public static XElement Render(StudyPart part, string slug, IReadOnlyList<XElement> figures)
    {
        SelectionSummary selection = part.Selection;
        return Html.Section($"{slug}-selection", 3, "Training performance estimation",
            Html.Paragraph(Headline.Selection(selection)),
            Html.Element("div", Html.Class("figures"), figures),
            Configurations(part), selection.Validated ? Agreement(part) : null, Rates(part),
            Html.Element("h4", "Compute saved"),
            Html.List(SavedEpochs.Sentences(selection)) ?? Html.Paragraph("No configurations, so nothing was saved."));
    }

    private static XElement Configurations(StudyPart part)
    {
        SelectionSummary selection = part.Selection;
        string probe = $"{Numbers.Count(selection.ProbeEpochs)} of {SelectionFigures.Epochs(selection.FullEpochs)}";
        var table = new HtmlTable($"Configurations, probed for {probe}; losses in {part.LossUnit}", part.Data.Synthetic,
            Text("Configuration"), Number("Learning rate"), Number("Batch size"), Text("Fate"), Number(Estimate(selection)),
            Number("Predicted final loss"), Number("95 % interval"), Number("True final loss"), Number("Predicted − true"), Number("s/epoch"));
        for (int i = 0; i < selection.Configurations.Count; i++)
        {
            ConfigurationOutcome c = selection.Configurations[i];
            bool selected = i == selection.Selected;
            object?[] name = [Html.Unbroken(c.Name), selected ? Tag("selected") : null, c.IsDefault ? Tag("default") : null];
            table.Add(selected, name, c.LearningRate > 0 ? Numbers.Short(c.LearningRate) : null,
                c.BatchSize > 0 ? Numbers.Count(c.BatchSize) : null, Fate(c.Fate),
                Numbers.Significant(c.Estimate), Numbers.PlusMinus(c.Predicted, c.PredictedError),
                c.PredictedLow is null ? null : $"{Numbers.Significant(c.PredictedLow)} to {Numbers.Significant(c.PredictedHigh)}",
                Numbers.Significant(c.Final),
                Numbers.Difference(c.Predicted - c.Final, c.Final), Numbers.Significant(c.SecondsPerEpoch > 0 ? c.SecondsPerEpoch : null, 3));
        }
        return table.Render();
    }

    private static XElement Agreement(StudyPart part)
    {
        SelectionSummary s = part.Selection;
        var table = new HtmlTable("Agreement of predicted and true final losses", part.Data.Synthetic, Text("Measure"), Number("All"),
            Number("Within 20 % of the best"));
        table.Add("R², each predicted from the others", Numbers.Significant(s.R2, 3), Numbers.Significant(s.R2NearBest, 3));
        table.Add("Spearman ρ", Numbers.Significant(s.Spearman, 3), Numbers.Significant(s.SpearmanNearBest, 3));
        table.Add("Ended within the 95 % interval of the prediction", s.WithinInterval is { } within ? $"{Numbers.Count(within)} of {Numbers.Count(s.Finished)}" : null, null);
        table.Add("Kendall τ", Numbers.Significant(s.Kendall, 3), null);
        table.Add($"Regret: final loss of the selected minus that of the best ({part.LossUnit})", Numbers.Significant(s.Regret, 3), null);
        return table.Render();
    }

    /// <summary>The best learning rate of each batch size, and which of them no other configuration beats in speed and accuracy both.</summary>
    private static XElement? Rates(StudyPart part)
    {
        var shown = ParetoFigure.Shown(part.Selection);
        if (shown.Count == 0 || shown.All(s => s.Outcome.BatchSize == 0)) return null;
        ConfigurationOutcome[] front = [.. ParetoFigure.Front(shown).Select(i => shown[i].Outcome)];
        bool calibrated = part.Selection.Configurations.Any(c => c.Predicted is not null);
        string loss = calibrated ? $"Predicted final loss ({part.LossUnit})" : Estimate(part.Selection);
        var table = new HtmlTable("Speed and accuracy: the best learning rate of each batch size", part.Data.Synthetic, Number("Batch size"), Number("Learning rate"),
            Number("s/epoch"), Number(loss), Number("True final loss"), Text("No other is both faster and better"));
        foreach (var batch in shown.GroupBy(s => s.Outcome.BatchSize).OrderBy(g => g.Key))
        {
            (ConfigurationOutcome best, double value) = batch.MinBy(s => s.Loss);
            table.Add(Numbers.Count(batch.Key), Numbers.Short(best.LearningRate), Numbers.Significant(best.SecondsPerEpoch, 3), Numbers.Significant(value),
                Numbers.Significant(best.Final), front.Contains(best) ? "yes" : "no");
        }
        return table.Render();
    }

    private static string Estimate(SelectionSummary selection) => SelectionFigures.Estimate(selection);

    private static XElement Tag(string text) => Html.Element("span", Html.Class("tag"), text);

    private static XElement Fate(ConfigurationFate fate) =>
        Html.Element("span", Html.Class("fate " + SelectionFigures.Word(fate)), SelectionFigures.Word(fate));
}

/// <summary>
/// The arithmetic of what selection saves: probes of all configurations and finishes of the kept ones, against running all to the end.
/// In epochs, each of which costs the same compute whatever the batch size, and in the time they took.
/// </summary>
internal sealed record SavedEpochs(long Probes, long Finishes, long All, double SelectionSeconds, double AllSeconds)
{
    public double Fraction => All > 0 ? 1 - (double)(Probes + Finishes) / All : double.NaN;

    public static SavedEpochs Of(SelectionSummary selection)
    {
        long probes = 0, finishes = 0, all = 0;
        double selectionSeconds = 0, allSeconds = 0;
        int rest = Math.Max(0, selection.FullEpochs - selection.ProbeEpochs);
        foreach (ConfigurationOutcome c in selection.Configurations)
        {
            // A diverged run ends where it diverged; the others were probed in full.
            bool diverged = c.Fate == ConfigurationFate.Diverged;
            long probe = diverged ? Math.Min(c.EpochLosses.Count, selection.ProbeEpochs) : selection.ProbeEpochs;
            long finish = c.Fate == ConfigurationFate.Kept ? rest : 0;
            probes += probe;
            finishes += finish;
            all += selection.FullEpochs;
            selectionSeconds += (probe + finish) * c.SecondsPerEpoch;
            allSeconds += selection.FullEpochs * c.SecondsPerEpoch;
        }
        return new SavedEpochs(probes, finishes, all, selectionSeconds, allSeconds);
    }

    /// <summary>The arithmetic in sentences.</summary>
    public static IEnumerable<string> Sentences(SelectionSummary selection)
    {
        int count = selection.Configurations.Count;
        if (count == 0) yield break;
        SavedEpochs saved = Of(selection);
        int kept = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Kept);
        int diverged = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Diverged);
        int full = selection.FullEpochs, probe = selection.ProbeEpochs;
        string unused = saved.Probes == (long)count * probe ? ""
            : $", less what {Numbers.Count(diverged)} diverged {(diverged == 1 ? "run" : "runs")} did not use";
        string configurations = count == 1 ? "1 configuration" : $"{Numbers.Count(count)} configurations";
        yield return $"Probes: {configurations} × {Epochs(probe)}{unused} = {Epochs(saved.Probes)}.";
        yield return $"Finishing the kept: {Numbers.Count(kept)} × ({Numbers.Count(full)} − {Numbers.Count(probe)}) epochs = "
            + $"{Epochs(saved.Finishes)}.";
        yield return $"All to the end: {Numbers.Count(count)} × {Epochs(full)} = {Epochs(saved.All)}.";
        yield return $"Saved: 1 − ({Numbers.Count(saved.Probes)} + {Numbers.Count(saved.Finishes)}) / {Numbers.Count(saved.All)} = "
            + $"{Numbers.Percent(saved.Fraction)} of the epochs, each of which passes over the data once.";
        if (double.IsFinite(selection.ComputeSaved))
            yield return $"In training steps, of which an epoch of small batches has more: {Numbers.Percent(selection.ComputeSaved)} saved.";
        if (double.IsFinite(saved.AllSeconds) && saved.AllSeconds > 0)
        {
            yield return $"In time, at each configuration's own seconds per epoch: {Numbers.Duration(saved.SelectionSeconds)} instead of "
                + $"{Numbers.Duration(saved.AllSeconds)}, {Numbers.Percent(1 - saved.SelectionSeconds / saved.AllSeconds)} less.";
        }
        if (selection.Validated && kept + diverged < count)
            yield return "Here the stopped were run to the end as well, to compare predictions with the truth; that is not counted.";
    }

    private static string Epochs(long count) => SelectionFigures.Epochs(count);
}
