using System.Globalization;
using System.Xml.Linq;
using ChemScale.Engine.Numerics;
using ScottPlot;
using static System.FormattableString;

namespace ChemScale.Engine.Studies.Report;

/// <summary>How marks and dashes are drawn, by the plot and in its legend.</summary>
internal static class Marks
{
    private const int FilledShapes = 4;

    /// <summary>Shape of group <paramref name="index"/>, filled or open.</summary>
    public static Mark Of(int index, bool open) => (Mark)(index % FilledShapes + (open ? FilledShapes : 0));

    public static MarkerShape Shape(Mark mark) => mark switch
    {
        Mark.Circle => MarkerShape.FilledCircle,
        Mark.Square => MarkerShape.FilledSquare,
        Mark.Triangle => MarkerShape.FilledTriangleUp,
        Mark.Diamond => MarkerShape.FilledDiamond,
        Mark.OpenCircle => MarkerShape.OpenCircle,
        Mark.OpenSquare => MarkerShape.OpenSquare,
        Mark.OpenTriangle => MarkerShape.OpenTriangleUp,
        Mark.OpenDiamond => MarkerShape.OpenDiamond,
        _ => MarkerShape.Eks,
    };

    public static float[] Intervals(Dash dash) => dash switch
    {
        Dash.Dashed => [8, 5],
        Dash.Dotted => [2, 4],
        Dash.Long => [14, 4],
        Dash.Short => [4, 3],
        _ => [],
    };

    /// <summary>The shape around (<paramref name="x"/>, <paramref name="y"/>) as an SVG element for a legend.</summary>
    public static XElement Sample(XNamespace svg, Mark mark, double x, double y, string color)
    {
        const double R = 4.5;
        string path = mark switch
        {
            Mark.Square or Mark.OpenSquare => Invariant($"M{x - R:0.##} {y - R:0.##}h{2 * R}v{2 * R}h{-2 * R}z"),
            Mark.Triangle or Mark.OpenTriangle => Invariant($"M{x:0.##} {y - R:0.##}l{R} {2 * R}h{-2 * R}z"),
            Mark.Diamond or Mark.OpenDiamond => Invariant($"M{x:0.##} {y - R:0.##}l{R} {R}l{-R} {R}l{-R} {-R}z"),
            Mark.Cross => Invariant($"M{x - R:0.##} {y - R:0.##}l{2 * R} {2 * R}m0 {-2 * R}l{-2 * R} {2 * R}"),
            _ => Invariant($"M{x - R:0.##} {y:0.##}a{R} {R} 0 1 0 {2 * R} 0a{R} {R} 0 1 0 {-2 * R} 0z"),
        };
        bool open = mark >= Mark.OpenCircle;
        return new XElement(svg + "path", new XAttribute("d", path), new XAttribute("fill", open ? "none" : color),
            new XAttribute("stroke", color), new XAttribute("stroke-width", open ? 1.6 : 0.5));
    }
}

/// <summary>
/// Dashes as SVG has them. The plotting library's vector output knows none (it complains on standard error and cuts lines into pieces), so
/// lines are drawn solid with the dash in the third decimal of their width, and get their stroke-dasharray afterwards.
/// </summary>
internal static class Dashes
{
    /// <param name="width">Pixels, with at most one decimal.</param>
    /// <param name="dash">What the line shall look like.</param>
    public static float Encode(float width, Dash dash) => width + 0.001f * (int)dash;

    /// <summary>Every line of the picture to its real width and dash.</summary>
    public static void Decode(XElement root)
    {
        foreach (XElement element in root.Descendants())
        {
            XAttribute? width = element.Attribute("stroke-width");
            if (width is null || !double.TryParse(width.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)) continue;
            int code = (int)Math.Round(value * 1000) % 100;
            if (code == 0 || !Enum.IsDefined((Dash)code)) continue;
            width.Value = Math.Round(value, 1).ToString(CultureInfo.InvariantCulture);
            element.SetAttributeValue("stroke-dasharray", string.Join(' ', Marks.Intervals((Dash)code)));
        }
    }
}

/// <summary>Solid, dashed, dotted ...: the same in the plot and in its legend.</summary>
internal enum Dash
{
    Solid,
    Dashed,
    Dotted,
    Long,
    Short,
}

/// <summary>Shape of a point. The open ones come in the order of the filled ones.</summary>
internal enum Mark
{
    Circle,
    Square,
    Triangle,
    Diamond,
    OpenCircle,
    OpenSquare,
    OpenTriangle,
    OpenDiamond,
    Cross,
}
