using System.Xml.Linq;
using ScottPlot;
using ScottPlot.TickGenerators;
using static System.FormattableString;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// Draws a chart as SVG: ScottPlot the data, the frame and the grid, without any text; then title, ticks, axis labels and legend as text
/// elements of the browser's own sans-serif. The plotting area has one size whatever stands around it.
/// </summary>
internal sealed class ChartDrawing
{
    private const string Fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
    // Narrow, so that text stays readable where a phone shrinks the picture to its screen.
    private const double Width = 480;
    private const double PlotHeight = 270;
    private const double Right = 20;
    private const double TickSize = 13;
    private const double LabelSize = 13.5, LeastLabelSize = 10;
    private const double TitleSize = 14.5;
    private const double LegendRow = 21;
    private const double SampleWidth = 26;

    private static readonly XNamespace Svg = SvgText.Svg;

    private readonly Chart chart;
    private readonly string id;
    private readonly AxisScale x;
    private readonly AxisScale y;
    private readonly IReadOnlyList<string> title;
    private readonly List<List<LegendEntry>> legend;
    private readonly double left;
    private readonly double top;
    private readonly double height;

    private ChartDrawing(Chart chart, string id)
    {
        this.chart = chart;
        this.id = id;
        (x, y) = chart.Scales();
        title = SvgText.Wrap(chart.Title, TitleSize * 1.06, Width - 20);
        left = Math.Ceiling(y.Ticks.Select(t => SvgText.Width(t.Label, TickSize)).DefaultIfEmpty(20).Max()) + 42;
        legend = Rows(chart.Entries);
        top = 12 + (chart.Synthetic ? 17 : 0) + 20 * title.Count;
        height = top + PlotHeight + 56 + LegendRow * legend.Count;
    }

    private double PlotWidth => Width - left - Right;

    /// <param name="chart">What to draw.</param>
    /// <param name="id">Prefix of every id inside, so that several pictures can stand in one page.</param>
    public static XElement Draw(Chart chart, string id) => new ChartDrawing(chart, id).Draw();

    private XElement Draw()
    {
        XElement root = Data();
        var text = new XElement(Svg + "g", new XAttribute("font-family", Fonts), Titles(), TickLabels(), AxisLabels(), Legend());
        double x = left + PlotWidth / 2, y = top + PlotHeight / 2;
        if (chart.IsEmpty) text.Add(SvgText.Element("Nothing to draw: no values", x, y, LabelSize, "middle", Palette.Faint));
        root.Add(text);
        return root;
    }

    private XElement Data()
    {
        using var plot = new Plot();
        plot.FigureBackground.Color = Colors.White;
        plot.DataBackground.Color = Colors.White;
        plot.Layout.Fixed(new PixelPadding((float)left, (float)Right, (float)(height - top - PlotHeight), (float)top));
        Axis(plot.Axes.Bottom, x);
        Axis(plot.Axes.Left, y);
        plot.Axes.Right.FrameLineStyle.Width = plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Grid.MajorLineColor = Color.FromHex(Palette.Grid);
        chart.Draw(plot, x, y);
        plot.Axes.SetLimits(x.Low, x.High, y.Low, y.High);

        XElement root = XDocument.Parse(plot.GetSvgXml((int)Width, (int)Math.Ceiling(height))).Root!;
        root.Descendants(Svg + "text").Remove();
        Rename(root);
        Dashes.Decode(root);
        root.SetAttributeValue("viewBox", Invariant($"0 0 {Width} {Math.Ceiling(height)}"));
        root.SetAttributeValue("role", "img");
        root.SetAttributeValue("aria-labelledby", this.id + "-title");
        string title = (chart.Synthetic ? "Synthetic data. " : "") + chart.Title;
        root.AddFirst(new XElement(Svg + "title", new XAttribute("id", this.id + "-title"), Xml.Clean(title)));
        return root;
    }

    private static void Axis(IAxis axis, AxisScale scale)
    {
        var ticks = new NumericManual();
        foreach (AxisTick tick in scale.Ticks)
        {
            if (tick.Label.Length > 0) ticks.AddMajor(tick.Position, "");
            else ticks.AddMinor(tick.Position);
        }
        axis.TickGenerator = ticks;
        axis.FrameLineStyle.Color = Color.FromHex(Palette.Faint);
        axis.MajorTickStyle.Color = axis.MinorTickStyle.Color = Color.FromHex(Palette.Faint);
    }

    /// <summary>Ids of this picture's own, counted from one: the library's count goes on from picture to picture.</summary>
    private void Rename(XElement root)
    {
        var names = new Dictionary<string, string>();
        foreach (XAttribute id in root.Descendants().Attributes("id")) id.Value = names[id.Value] = $"{this.id}-{names.Count + 1}";
        foreach (XAttribute attribute in root.Descendants().Attributes().Where(a => a.Value.Contains('#')))
        {
            foreach ((string name, string renamed) in names)
            {
                if (attribute.Value == "#" + name) attribute.Value = "#" + renamed;
                else if (attribute.Value == $"url(#{name})") attribute.Value = $"url(#{renamed})";
            }
        }
    }

    private IEnumerable<XElement> Titles()
    {
        double y = 20;
        if (chart.Synthetic)
        {
            yield return SvgText.Element("SYNTHETIC DATA", 10, y - 2, 11.5, color: Palette.Alert, bold: true);
            y += 17;
        }
        foreach (string line in title)
        {
            yield return SvgText.Element(line, 10, y, TitleSize, bold: true);
            y += 20;
        }
    }

    private IEnumerable<XElement> TickLabels()
    {
        foreach (AxisTick tick in this.x.Ticks.Where(t => t.Label.Length > 0))
        {
            double x = left + this.x.Share(tick.Position) * PlotWidth;
            yield return SvgText.Element(tick.Label, x, top + PlotHeight + 19, TickSize, "middle", powers: true);
        }
        foreach (AxisTick tick in this.y.Ticks.Where(t => t.Label.Length > 0))
        {
            double y = top + (1 - this.y.Share(tick.Position)) * PlotHeight;
            yield return SvgText.Element(tick.Label, left - 8, y + 4.5, TickSize, "end", powers: true);
        }
    }

    private IEnumerable<XElement> AxisLabels()
    {
        (string below, double belowSize) = SvgText.Fitted(chart.X.Label, LabelSize, LeastLabelSize, PlotWidth);
        (string beside, double besideSize) = SvgText.Fitted(chart.Y.Label, LabelSize, LeastLabelSize, PlotHeight);
        yield return SvgText.Element(below, left + PlotWidth / 2, top + PlotHeight + 42, belowSize, "middle");
        yield return SvgText.Element(beside, 20, top + PlotHeight / 2, besideSize, "middle", vertical: true);
    }

    private IEnumerable<XElement> Legend()
    {
        double y = top + PlotHeight + 56 + LegendRow / 2;
        foreach (List<LegendEntry> row in legend)
        {
            double x = 10;
            foreach (LegendEntry entry in row)
            {
                if (entry.Band) yield return BandSample(x, y, entry.Color);
                if (entry.Line is { } dash) yield return LineSample(x, y, entry.Color, dash);
                if (entry.Mark is { } mark) yield return Marks.Sample(Svg, mark, x + SampleWidth / 2, y, entry.Color);
                yield return SvgText.Element(entry.Text, x + SampleWidth + 6, y + 4.5, TickSize, powers: true);
                x += EntryWidth(entry);
            }
            y += LegendRow;
        }
    }

    private static XElement BandSample(double x, double y, string color) => new(Svg + "path",
        new XAttribute("d", Invariant($"M{x:0.##} {y - 6:0.##}h{SampleWidth}v12h{-SampleWidth}z")),
        new XAttribute("fill", color), new XAttribute("fill-opacity", 0.2));

    private static XElement LineSample(double x, double y, string color, Dash dash)
    {
        var sample = new XElement(Svg + "path", new XAttribute("d", Invariant($"M{x:0.##} {y:0.##}h{SampleWidth}")),
            new XAttribute("stroke", color), new XAttribute("stroke-width", 2), new XAttribute("fill", "none"));
        if (dash != Dash.Solid) sample.Add(new XAttribute("stroke-dasharray", string.Join(' ', Marks.Intervals(dash))));
        return sample;
    }

    private static List<List<LegendEntry>> Rows(IReadOnlyList<LegendEntry> entries)
    {
        var rows = new List<List<LegendEntry>>();
        double used = double.PositiveInfinity;
        foreach (LegendEntry entry in entries.Select(e => e with { Text = SvgText.Cut(e.Text, TickSize, Width - SampleWidth - 30) }))
        {
            if (used + EntryWidth(entry) > Width)
            {
                rows.Add([]);
                used = 10;
            }
            rows[^1].Add(entry);
            used += EntryWidth(entry);
        }
        return rows;
    }

    private static double EntryWidth(LegendEntry entry) => SampleWidth + 6 + SvgText.Width(entry.Text, TickSize) + 14;
}
