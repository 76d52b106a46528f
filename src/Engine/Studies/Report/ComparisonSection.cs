using System.Globalization;
using System.Xml.Linq;
using ChemScale.Engine.Studies.Summary;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>Language models of several parts beside one another, in nats per molecule: what a molecule is written in changes what a token is.</summary>
internal static class ComparisonSection
{
    /// <summary>Null where there are no two parts to compare.</summary>
    public static XElement? Render(StudySummary summary)
    {
        StudyPart[] parts = [.. summary.Parts.Where(p => p.Grid.Points.Any(point => point.LossPerMolecule is not null))];
        if (parts.Length < 2) return null;
        var table = new HtmlTable("Least validation loss in nats per molecule, of models of one shape on equally many molecules", parts.Any(p => p.Data.Synthetic),
            [Text("Model"), Number("Molecules"), .. parts.Select(p => Number(p.Family)), Text("Least")]);
        int[] least = new int[parts.Length];
        int rows = 0;
        foreach (((string model, long documents), double?[] losses) in Rows(parts))
        {
            int best = Array.IndexOf(losses, losses.Min());
            least[best]++;
            rows++;
            table.Add([Html.Unbroken(model), Numbers.Count(documents), .. losses.Select(l => Numbers.Significant(l)), parts[best].Family]);
        }
        string counted = string.Join(", ", parts.Select((p, i) => $"{p.Family} in {least[i]}"));
        return Html.Section("per-molecule", 2, "Loss per molecule",
            Html.Paragraph(rows == 0 ? "No model was trained on equally many molecules in two parts."
                : string.Create(CultureInfo.InvariantCulture, $"Of {rows} models, the least loss has: {counted}. Losses per token cannot be compared: a molecule has another number of tokens in each.")),
            table.Render(), Html.List(Cautions(parts)));
    }

    /// <summary>Shapes and data sizes that two parts or more have, data sizes first.</summary>
    private static IEnumerable<((string Model, long Documents) Of, double?[] Losses)> Rows(StudyPart[] parts)
    {
        var byShape = parts.Select(part => part.Grid.Points.Where(p => p.LossPerMolecule is { } loss && double.IsFinite(loss))
            .GroupBy(p => (p.ModelName, p.Documents)).ToDictionary(g => g.Key, g => g.Min(p => p.LossPerMolecule))).ToArray();
        var sizes = parts.SelectMany(p => p.Grid.Points).GroupBy(p => p.ModelName).ToDictionary(g => g.Key, g => g.Min(p => p.Parameters));
        return byShape.SelectMany(b => b.Keys).Distinct().OrderBy(key => key.Documents).ThenBy(key => sizes[key.ModelName]).ThenBy(key => key.ModelName, StringComparer.Ordinal)
            .Select(key => (key, byShape.Select(b => b.GetValueOrDefault(key)).ToArray())).Where(row => row.Item2.Count(l => l is not null) > 1);
    }

    private static IEnumerable<string> Cautions(StudyPart[] parts)
    {
        if (parts.Select(p => (p.Data.Train, p.Data.Validation, p.Data.Source)).Distinct().Count() > 1)
            yield return "The parts hold other numbers of molecules, or other molecules: what one side refuses the other may have.";
        foreach ((string fact, string words) in ((string, string)[])[
            ("Split and copies by", "The parts are split by other rules: they hold out other molecules."),
            ("Writing", "Some parts have their molecules written one way each, some as they were given: the losses are of other texts.")])
            if (parts.Select(p => p.Data.Facts.GetValueOrDefault(fact)).Distinct().Count() > 1) yield return words;
    }
}
