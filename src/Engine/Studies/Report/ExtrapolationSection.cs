using System.Xml.Linq;
using ChemScale.Engine.Studies.Summary;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>Forms ranked by how they foretell the largest runs from the smaller ones.</summary>
internal static class ExtrapolationSection
{
    public static XElement Render(StudyPart part, string slug)
    {
        IReadOnlyList<ExtrapolationSummary> tests = part.Grid.Extrapolation;
        if (tests.Count == 0)
            return Html.Section($"{slug}-extrapolation", 4, "Which form extrapolates", Html.Paragraph("No series of the grid has the five runs that a test takes."));
        var table = new HtmlTable("Forms fitted to the smaller runs, scored on the largest", part.Data.Synthetic, Text("Series"), Text("Form"), Number("Rank"),
            Number("Error on the large, %"), Number("Bias, %"), Number("Error on the small, %"), Text("Why not"));
        foreach (ExtrapolationSummary test in tests)
        {
            foreach (ExtrapolationRow row in test.Rows)
            {
                table.Add(row.Rank == 1, Html.Unbroken(test.Series), Html.Unbroken(row.Form.Replace('-', ' ')), row.Rank is { } rank ? Numbers.Count(rank) : null,
                    Percent(row.LogError), Percent(row.Bias), Percent(row.TrainingError), row.Refusal);
            }
        }
        return Html.Section($"{slug}-extrapolation", 4, "Which form extrapolates",
            Html.List(tests.Select(Sentence)), table.Render());
    }

    private static string Sentence(ExtrapolationSummary test)
    {
        ExtrapolationRow[] ranked = [.. test.Rows.Where(r => r.Rank is not null)];
        string basis = $"{test.Series}: {Numbers.Count(test.Small)} smaller runs, {Numbers.Count(test.Large)} held out, from {Numbers.Significant(test.Reach, 2)} times the largest of the small";
        return ranked.Length == 0 ? $"{basis}. No form could be fitted to so few."
            : $"{basis}. Least error: {ranked[0].Form.Replace('-', ' ')}, {Percent(ranked[0].LogError)} %"
                + (ranked.Length > 1 ? $"; next {ranked[1].Form.Replace('-', ' ')}, {Percent(ranked[1].LogError)} %." : "; no other form could be fitted.");
    }

    private static string Percent(double? log) => Numbers.Significant(100 * log, 2);
}
