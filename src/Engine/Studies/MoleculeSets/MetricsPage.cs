using System.Globalization;
using System.Xml.Linq;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Studies.Report;
using static System.FormattableString;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.MoleculeSets;

/// <summary>The page of <see cref="SetMetrics"/>: figures of the set, distances, and each distribution of both sets.</summary>
internal static class MetricsPage
{
    private const string Title = "Generated molecules against a reference";
    private const string Generated = "#0072B2", Reference = "#D55E00";

    // Of named values: the rest is too rare to be read.
    private const int MostNames = 40;

    public static string Render(SetMetrics metrics) => ReportPage.Page(Title,
        Html.Element("header", Html.Element("h1", Title),
            Html.Paragraph(Html.Class("meta"), Invariant($"{metrics.GeneratedFile}: {metrics.Generated} lines; {metrics.ReferenceFile}: {metrics.Reference} valid molecules."))),
        Html.Section("set", 2, "The set", Figures(metrics).Render()),
        Html.Section("distances", 2, "Distances", Distances(metrics).Render()),
        Html.Section("toolkit", 2, "By a chemistry toolkit", Toolkit(metrics).Render()),
        Html.Section("distributions", 2, "Distributions", metrics.Distributions.Select(Shown).ToArray()));

    private static HtmlTable Figures(SetMetrics metrics)
    {
        var table = new HtmlTable("Figures of the generated set", false, Text("Figure"), Number("Value"), Text("Of what"));
        foreach ((string name, double? value, string of) in metrics.Rows) table.Add(name, Value(value), of);
        return table;
    }

    private static HtmlTable Distances(SetMetrics metrics)
    {
        var table = new HtmlTable("Each quantity of both sets", false, Text("Quantity"), Text("Unit"), Number("Generated, mean"), Number("Reference, mean"),
            Number("Wasserstein"), Number("KL divergence (nats)"));
        foreach (Distribution d in metrics.Distributions)
            table.Add(d.Name, d.Unit, Value(d.GeneratedMean), Value(d.ReferenceMean), Value(d.Wasserstein), Value(d.Divergence));
        return table;
    }

    private static HtmlTable Toolkit(SetMetrics metrics)
    {
        var table = new HtmlTable(Invariant($"The first {Toolkits.Toolkit.Most} molecules of each set; Wasserstein distance, cosine of fragments, or FCD"), false,
            Text("Figure"), Number("Generated, mean"), Number("Reference, mean"), Number("Value"), Text("Not computed"));
        foreach (ToolkitFigure f in metrics.Toolkit) table.Add(f.Name, Value(f.Generated), Value(f.Reference), Value(f.Value), f.NotComputed ?? "");
        return table;
    }

    private static XElement Shown(Distribution distribution)
    {
        string slug = distribution.Name.Replace(' ', '-');
        if (distribution.GeneratedMean is null && distribution.ReferenceMean is null) return Names(distribution, slug);
        string label = distribution.Unit.Length == 0 ? distribution.Name : $"{distribution.Name} ({distribution.Unit})";
        var chart = new Chart(Invariant($"{distribution.Name}: Wasserstein {distribution.Wasserstein:G4}, KL {distribution.Divergence:G4}"),
            new ChartAxis(label), new ChartAxis("Share"));
        Draw(distribution.Bins.Select(b => (Parse(b.Value), b.Generated)), Generated, "generated");
        Draw(distribution.Bins.Select(b => (Parse(b.Value), b.Reference)), Reference, "reference");
        var figure = new Figure(slug, chart, "", new CsvWriter());
        return Html.Element("figure", Html.Attribute("id", slug), figure.Svg());

        void Draw(IEnumerable<(double X, double Y)> points, string color, string name)
        {
            (double X, double Y)[] drawn = [.. points];
            chart.Line(drawn, color);
            chart.Points(drawn, Mark.Circle, color, 4);
            chart.Legend(new LegendEntry(name, color, Mark.Circle));
        }
    }

    private static XElement Names(Distribution distribution, string slug)
    {
        var table = new HtmlTable(Invariant($"{distribution.Name}, the {Math.Min(MostNames, distribution.Bins.Count)} most frequent of {distribution.Bins.Count}: KL {distribution.Divergence:G4}"),
            false, Text("Value"), Number("Generated, share"), Number("Reference, share"));
        foreach (DistributionBin bin in distribution.Bins.Take(MostNames)) table.Add(bin.Value, Value(bin.Generated), Value(bin.Reference));
        return Html.Element("div", Html.Attribute("id", slug), table.Render());
    }

    private static double Parse(string value) => double.Parse(value, CultureInfo.InvariantCulture);

    private static string? Value(double? value) => value?.ToString("G5", CultureInfo.InvariantCulture);
}
