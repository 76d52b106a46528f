using System.Xml.Linq;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Studies.Report;

/// <summary>A picture, what it shows in words, and the numbers behind it; the name is that of its files, without extension.</summary>
internal sealed record Figure(string Name, Chart Chart, string Caption, CsvWriter Numbers)
{
    public string SvgPath => $"figures/{Name}.svg";

    public string CsvPath => $"figures/{Name}.csv";

    public XElement Svg() => ChartDrawing.Draw(Chart, Name);
}
