using System.Xml.Linq;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Studies.Summary;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>How compute would best be shared between model and data; or the sentence why the grid cannot say.</summary>
internal static class AllocationSection
{
    public static XElement? Render(StudyPart part, string slug, XElement? figure)
    {
        if (part.Grid.Allocation is not { } allocation) return null;
        if (allocation.Refusal.Length > 0)
        {
            return Html.Section($"{slug}-allocation", 4, "Compute-optimal allocation",
                Html.Paragraph($"The grid cannot say how to share compute between model and data: {allocation.Refusal.TrimEnd('.')}."),
                allocation.Law.Length > 0 ? Html.Paragraph("The joint form as fitted: ", Html.Powers(allocation.Law), ".") : null);
        }
        var table = new HtmlTable("The least loss for a compute C = 6 N D, with 95 % intervals by bootstrap", part.Data.Synthetic, Number("C (FLOP)"), Number("N"),
            Number("95 %"), Number($"D ({part.ItemName})"), Number("95 %"), Number($"Loss ({part.LossUnit})"), Number("95 %"), Text("Within the grid"));
        foreach (AllocationRow row in allocation.Rows)
        {
            table.Add(Numbers.Significant(row.Compute, 3), Numbers.Significant(row.Parameters, 3), Range(row.ParametersLow, row.ParametersHigh),
                Numbers.Significant(row.Items, 3), Range(row.ItemsLow, row.ItemsHigh), Numbers.Significant(row.Loss), Range(row.LossLow, row.LossHigh),
                row.Beyond ? Html.Element("span", Html.Class("tag warn"), "extrapolated") : "yes");
        }
        string exponent = $"N grows as C^{Numbers.Fixed(allocation.Exponent ?? double.NaN, 3)} (95 % interval {Range(allocation.ExponentLow, allocation.ExponentHigh)}), D as C^{Numbers.Fixed(1 - allocation.Exponent ?? double.NaN, 3)}.";
        return Html.Section($"{slug}-allocation", 4, "Compute-optimal allocation",
            Html.Paragraph(Html.Powers($"{allocation.Law}. {exponent}")), figure is null ? null : Html.Element("div", Html.Class("figures"), figure), table.Render(),
            Html.List(allocation.Cautions));
    }

    public static Figure? Figure(StudyPart part, string slug)
    {
        if (part.Grid.Allocation is not { Refusal: "", Rows.Count: > 1 } allocation) return null;
        var chart = new Chart("Compute-optimal model and data", new ChartAxis("Compute C = 6 N D (FLOP)", Logarithmic: true, Powers: true),
            new ChartAxis($"N, and D ({part.ItemName})", Logarithmic: true, Powers: true))
        {
            Synthetic = part.Data.Synthetic,
        };
        var csv = new CsvWriter("compute", "parameters", "parameters_low", "parameters_high", "items", "items_low", "items_high", "loss", "loss_low", "loss_high",
            "extrapolated", "synthetic");
        Series("best N", Palette.Ordered(0, 3), Mark.Circle, r => (r.Parameters, r.ParametersLow, r.ParametersHigh));
        Series("best D", Palette.Ordered(2, 3), Mark.Triangle, r => (r.Items, r.ItemsLow, r.ItemsHigh));
        foreach (AllocationRow r in allocation.Rows)
        {
            csv.Add(r.Compute, r.Parameters, r.ParametersLow, r.ParametersHigh, r.Items, r.ItemsLow, r.ItemsHigh, r.Loss, r.LossLow, r.LossHigh, r.Beyond,
                part.Data.Synthetic);
        }
        return new Figure($"{slug}-allocation", chart, "Model and data of the least loss for each compute, with 95 % bands. The last mark lies beyond the grid.", csv);

        void Series(string text, string color, Mark mark, Func<AllocationRow, (double Value, double? Low, double? High)> of)
        {
            chart.Band(allocation.Rows.Select(r => (r.Compute, of(r).Low ?? double.NaN, of(r).High ?? double.NaN)), color);
            chart.Line(allocation.Rows.Select(r => (r.Compute, of(r).Value)), color);
            chart.Points(allocation.Rows.Select(r => (r.Compute, of(r).Value)), mark, color);
            chart.Legend(new LegendEntry(text, color, mark, Dash.Solid, Band: true));
        }
    }

    private static string Range(double? low, double? high) => $"{Numbers.Significant(low, 3)} to {Numbers.Significant(high, 3)}";
}
