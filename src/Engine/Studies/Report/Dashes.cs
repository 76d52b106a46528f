using System.Globalization;
using System.Xml.Linq;

namespace ChemScale.Engine.Studies.Report;

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
