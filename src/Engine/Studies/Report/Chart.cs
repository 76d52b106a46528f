using System.Xml.Linq;
using ChemScale.Engine.Numerics;
using ScottPlot;

namespace ChemScale.Engine.Studies.Report;

/// <summary>An entry of a legend: a mark, a line, a band, or several of them over each other.</summary>
internal sealed record LegendEntry(string Text, string Color, Mark? Mark = null, Dash? Line = null, bool Band = false);

/// <summary>
/// What a figure shows: lines, marks and bands in data coordinates. Values that are not finite, or not positive on a logarithmic axis,
/// are left out. <see cref="ChartDrawing"/> makes the picture.
/// </summary>
internal sealed class Chart(string title, ChartAxis x, ChartAxis y)
{
    private readonly List<Action<Plot, AxisScale, AxisScale>> layers = [];
    private readonly List<double> abscissas = [];
    private readonly List<double> ordinates = [];
    private readonly List<double> softY = [];
    private readonly List<LegendEntry> legend = [];

    public string Title => title;

    public ChartAxis X => x;

    public ChartAxis Y => y;

    /// <summary>Marks the picture as made from synthetic data.</summary>
    public bool Synthetic { get; init; }

    /// <summary>The same limits on both axes, with the identity line.</summary>
    public bool Identity { get; init; }

    public bool IsEmpty => abscissas.Count == 0;

    public IReadOnlyList<LegendEntry> Entries => legend;

    /// <summary>Adds an entry to the legend; equal ones show once.</summary>
    public void Legend(LegendEntry entry)
    {
        if (!legend.Contains(entry)) legend.Add(entry);
    }

    /// <summary>A line through the points that can be drawn.</summary>
    public void Line(IEnumerable<(double X, double Y)> points, string color, Dash dash = Dash.Solid, float width = 1.6f)
    {
        (double X, double Y)[] drawn = Map(points);
        if (drawn.Length < 2) return;
        Include(drawn);
        layers.Add((plot, sx, sy) =>
        {
            double[] xs = [.. drawn.Select(p => sx.Bound(p.X))], ys = [.. drawn.Select(p => sy.Bound(p.Y))];
            var line = plot.Add.ScatterLine(xs, ys, Color.FromHex(color));
            line.LineWidth = Dashes.Encode(width, dash);
        });
    }

    public void Points(IEnumerable<(double X, double Y)> points, Mark mark, string color, float size = 9)
    {
        (double X, double Y)[] drawn = Map(points);
        if (drawn.Length == 0) return;
        Include(drawn);
        layers.Add((plot, _, _) =>
        {
            double[] xs = [.. drawn.Select(p => p.X)], ys = [.. drawn.Select(p => p.Y)];
            var markers = plot.Add.Markers(xs, ys, Marks.Shape(mark), size, Color.FromHex(color));
            markers.MarkerLineWidth = 1.8f;
        });
    }

    /// <summary>A shaded band between two curves; widens the axis a little, however wide it is.</summary>
    public void Band(IEnumerable<(double X, double Low, double High)> points, string color)
    {
        (double X, double Low, double High)[] drawn =
        [
            .. points.Where(p => !double.IsNaN(p.Low) && !double.IsNaN(p.High))
                .Select(p => (X: AxisScale.Map(x, p.X), Low: AxisScale.Map(y, p.Low), High: AxisScale.Map(y, p.High)))
                .Where(p => double.IsFinite(p.X)),
        ];
        if (drawn.Length < 2) return;
        softY.AddRange(drawn.SelectMany(p => new[] { p.Low, p.High }));
        layers.Insert(0, (plot, sx, sy) =>
        {
            double[] xs = [.. drawn.Select(p => sx.Bound(p.X))];
            var band = plot.Add.FillY(xs, [.. drawn.Select(p => sy.Bound(p.Low))], [.. drawn.Select(p => sy.Bound(p.High))]);
            band.FillColor = Color.FromHex(color).WithAlpha(0.14);
            band.LineWidth = 0;
        });
    }

    /// <summary>A vertical bar from one value to another at one place.</summary>
    public void Bar(double at, double low, double high, string color)
    {
        double place = AxisScale.Map(x, at), from = AxisScale.Map(y, low), to = AxisScale.Map(y, high);
        if (!double.IsFinite(place) || !double.IsFinite(to) || (double.IsNaN(from) && !y.Logarithmic)) return;
        softY.AddRange([from, to]);
        layers.Insert(0, (plot, _, sy) =>
        {
            var bar = plot.Add.ScatterLine([place, place], new[] { sy.Bound(from), sy.Bound(to) }, Color.FromHex(color).WithAlpha(0.55));
            bar.LineWidth = 1.3f;
        });
    }

    /// <summary>A vertical line across the whole figure.</summary>
    public void Rule(double at, string color, Dash dash)
    {
        double place = AxisScale.Map(x, at);
        if (!double.IsFinite(place)) return;
        abscissas.Add(place);
        layers.Add((plot, _, sy) =>
        {
            var rule = plot.Add.ScatterLine([place, place], new[] { sy.Low, sy.High }, Color.FromHex(color));
            rule.LineWidth = Dashes.Encode(1.4f, dash);
        });
    }

    internal (AxisScale X, AxisScale Y) Scales()
    {
        if (!Identity) return (AxisScale.Fit(x, abscissas, []), AxisScale.Fit(y, ordinates, softY));
        List<double> both = [.. abscissas, .. ordinates];
        return (AxisScale.Fit(x, both, softY), AxisScale.Fit(y, both, softY));
    }

    internal void Draw(Plot plot, AxisScale sx, AxisScale sy)
    {
        if (Identity && !IsEmpty)
        {
            var line = plot.Add.ScatterLine(new[] { sx.Low, sx.High }, new[] { sx.Low, sx.High }, Color.FromHex(Palette.Faint));
            line.LineWidth = Dashes.Encode(1, Dash.Dashed);
        }
        foreach (Action<Plot, AxisScale, AxisScale> layer in layers) layer(plot, sx, sy);
    }

    private (double X, double Y)[] Map(IEnumerable<(double X, double Y)> points) =>
    [
        .. points.Select(p => (X: AxisScale.Map(x, p.X), Y: AxisScale.Map(y, p.Y)))
            .Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y)),
    ];

    private void Include((double X, double Y)[] points)
    {
        abscissas.AddRange(points.Select(p => p.X));
        ordinates.AddRange(points.Select(p => p.Y));
    }
}

/// <summary>A picture, what it shows in words, and the numbers behind it; the name is that of its files, without extension.</summary>
internal sealed record Figure(string Name, Chart Chart, string Caption, CsvWriter Numbers)
{
    public string SvgPath => $"figures/{Name}.svg";

    public string CsvPath => $"figures/{Name}.csv";

    public XElement Svg() => ChartDrawing.Draw(Chart, Name);
}
