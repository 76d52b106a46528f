using System.Xml.Linq;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>Where the data of a part come from and what became of them.</summary>
internal static class DataSection
{
    public static XElement Render(StudyPart part, string slug)
    {
        DataFacts data = part.Data;
        var table = new HtmlTable("What was read, and what became of it", data.Synthetic, Text("What"), Text("Value"));
        table.Add("Source", data.Source);
        table.Add("Kind", data.Synthetic ? "synthetic: made by a program, not measured or collected" : "real");
        table.Add("Read", Numbers.Count(data.Read));
        table.Add("Training", Numbers.Count(data.Train));
        table.Add("Validation", Numbers.Count(data.Validation));
        table.Add("Refused", Numbers.Count(data.Refused));
        var reasons = data.RefusedByReason.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal);
        foreach ((string reason, long count) in reasons) table.Add($"Refused: {reason}", Numbers.Count(count));
        foreach ((string name, string value) in data.Facts) table.Add(name, value);
        return Html.Section($"{slug}-data", 3, "Data", table.Render());
    }
}
