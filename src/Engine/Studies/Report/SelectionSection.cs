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
            Configurations(part), selection.Validated ? Agreement(part) : null,
            Html.Element("h4", "Compute saved"),
            Html.List(ComputeSaved.Sentences(selection)) ?? Html.Paragraph("No configurations, so nothing was saved."));
    }

    private static XElement Configurations(StudyPart part)
    {
        SelectionSummary selection = part.Selection;
        string probe = $"{Numbers.Count(selection.ProbeEpochs)} of {SelectionFigures.Epochs(selection.FullEpochs)}";
        var table = new HtmlTable($"Configurations, probed for {probe}; losses in {part.LossUnit}", part.Data.Synthetic,
            Text("Configuration"), Number("Learning rate"), Number("Batch size"), Text("Fate"), Number("TSE"),
            Number("Predicted final loss"), Number("True final loss"), Number("Predicted − true"), Number("s/epoch"));
        for (int i = 0; i < selection.Configurations.Count; i++)
        {
            ConfigurationOutcome c = selection.Configurations[i];
            bool selected = i == selection.Selected;
            object?[] name = [Html.Unbroken(c.Name), selected ? Tag("selected") : null, c.IsDefault ? Tag("default") : null];
            table.Add(selected, name, Numbers.Short(c.LearningRate), Numbers.Count(c.BatchSize), Fate(c.Fate),
                Numbers.Significant(c.Estimate), Numbers.PlusMinus(c.Predicted, c.PredictedError), Numbers.Significant(c.Final),
                Numbers.Difference(c.Predicted - c.Final, c.Final), Numbers.Significant(c.SecondsPerEpoch, 3));
        }
        return table.Render();
    }

    private static XElement Agreement(StudyPart part)
    {
        SelectionSummary s = part.Selection;
        var table = new HtmlTable("Agreement of predicted and true final losses", part.Data.Synthetic, Text("Measure"), Number("All"),
            Number("Within 20 % of the best"));
        table.Add("R²", Numbers.Significant(s.R2, 3), Numbers.Significant(s.R2NearBest, 3));
        table.Add("Spearman ρ", Numbers.Significant(s.Spearman, 3), Numbers.Significant(s.SpearmanNearBest, 3));
        table.Add("Kendall τ", Numbers.Significant(s.Kendall, 3), null);
        table.Add($"Regret: final loss of the selected minus that of the best ({part.LossUnit})", Numbers.Significant(s.Regret, 3), null);
        return table.Render();
    }

    private static XElement Tag(string text) => Html.Element("span", Html.Class("tag"), text);

    private static XElement Fate(ConfigurationFate fate) =>
        Html.Element("span", Html.Class("fate " + SelectionFigures.Word(fate)), SelectionFigures.Word(fate));
}
