using System.Xml.Linq;
using ChemScale.Engine.Studies.Summary;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The grid of model sizes and data sizes: figures, points, fits, cautions.</summary>
internal static class GridSection
{
    public static XElement Render(StudyPart part, string slug, IReadOnlyList<XElement> figures, XElement? allocation)
    {
        GridSummary grid = part.Grid;
        return Html.Section($"{slug}-grid", 3, "Scaling grid",
            Html.Paragraph(
                grid.Points.Count switch { 0 => "No runs", 1 => "One run", _ => $"{Numbers.Count(grid.Points.Count)} runs" },
                "; selected learning rate ", Html.Powers(Numbers.Short(grid.LearningRate)), $", batch size {Numbers.Count(grid.BatchSize)}."),
            Html.Element("div", Html.Class("figures"), figures),
            Points(part), Fits(part), ExtrapolationSection.Render(part, slug), AllocationSection.Render(part, slug, allocation),
            Html.Element("h4", "Cautions"),
            Html.List(grid.Cautions) ?? Html.Paragraph("None were raised."));
    }

    private static XElement Points(StudyPart part)
    {
        string caption = $"Points of the grid; loss in {part.LossUnit}, the least on the one fixed validation set";
        var table = new HtmlTable(caption, part.Data.Synthetic, Text("Run"), Text("Model"), Number("N"), Number("Learning rate"), Number("Documents"),
            Number($"D ({part.ItemName})"), Number($"S ({part.ItemName})"), Number("S/D"), Number("C (FLOP)"), Number("Loss"),
            Text("At the end"), Number("Time"));
        foreach (GridPoint p in part.Grid.Points)
        {
            table.Add(Html.Unbroken(p.Name), Html.Unbroken(p.ModelName), Numbers.Count(p.Parameters), Html.Powers(Numbers.Short(p.LearningRate)),
                Numbers.Count(p.Documents),
                Numbers.Count(p.Items), Numbers.Count(p.ItemsSeen), Numbers.Significant((double)p.ItemsSeen / p.Items, 3),
                Numbers.Significant(p.Compute, 3), Numbers.Significant(p.Loss),
                p.StillFalling ? Html.Element("span", Html.Class("tag warn"), "still falling") : "settled", Numbers.Duration(p.Seconds));
        }
        return table.Render();
    }

    private static XElement Fits(StudyPart part)
    {
        string caption = "Fitted power laws: L = α R^−β, plus the floor where the form has one";
        var table = new HtmlTable(caption, part.Data.Synthetic, Text("R"), Text("Held"), Text("Form"), Number("Points"), Number("α"),
            Number("β"), Number("95 % interval of β"), Number($"Floor ({part.LossUnit})"), Number("R² of log loss"), Text("Caution"));
        foreach (FitSummary f in part.Grid.Fits)
        {
            string interval = f.BetaLow is { } low && f.BetaHigh is { } high && double.IsFinite(low) && double.IsFinite(high)
                ? $"{Numbers.Fixed(low, 3)} to {Numbers.Fixed(high, 3)}" : Numbers.Missing;
            string form = f.Form.Replace('-', ' ') + (f.WithoutStillFalling ? ", without points still falling" : "");
            table.Add(Symbol(f.Resource), Html.Unbroken(f.Held), form, Numbers.Count(f.PointCount), Numbers.Significant(f.Alpha),
                Numbers.Fixed(f.Beta, 3), interval, f.Form == "power-law" ? Numbers.Missing : Numbers.Significant(f.Floor),
                Numbers.Significant(f.R2), f.Caution);
        }
        return table.Render();
    }

    private static string Symbol(string resource) => resource switch
    {
        ResourceNames.Parameters => "N",
        ResourceNames.Items => "D",
        ResourceNames.Compute => "C",
        _ => resource,
    };
}
