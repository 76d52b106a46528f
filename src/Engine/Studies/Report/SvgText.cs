using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using static System.FormattableString;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// Text of a figure. ScottPlot places each glyph by the fonts of the machine that draws, and drops text where there are none; here
/// the browser that shows it lays it out, so widths are only estimated, generously.
/// </summary>
internal static class SvgText
{
    public static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>A caret with the power after it.</summary>
    public static readonly Regex Exponent = new(@"\^(−?(?:[0-9]+(?:\.[0-9]+)?|β))");

    /// <summary>Estimated width in pixels, in any common sans-serif face.</summary>
    public static double Width(string text, double size)
    {
        double ems = 0;
        bool raised = false;
        foreach (char c in text)
        {
            if (c == '^') raised = true;
            else if (raised && !char.IsAsciiDigit(c) && c != '−' && c != '.') raised = false;
            if (c != '^') ems += Ems(c) * (raised ? 0.75 : 1);
        }
        return ems * size;
    }

    /// <summary>Lines no wider than <paramref name="width"/>; a word wider than that is cut with an ellipsis.</summary>
    public static IReadOnlyList<string> Wrap(string text, double size, double width)
    {
        var lines = new List<string>();
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string longer = line.Length == 0 ? word : $"{line} {word}";
            if (Width(longer, size) <= width) line = longer;
            else
            {
                if (line.Length > 0) lines.Add(line);
                line = Cut(word, size, width);
            }
        }
        if (line.Length > 0) lines.Add(line);
        return lines;
    }

    /// <summary>The text and a size at which it is no wider; cut only where the least is too large.</summary>
    public static (string Text, double Size) Fitted(string text, double size, double least, double width)
    {
        double fitting = Math.Floor(2 * size * width / Math.Max(width, Width(text, size))) / 2;
        return fitting >= least ? (text, fitting) : (Cut(text, least, width), least);
    }

    public static string Cut(string text, double size, double width)
    {
        if (Width(text, size) <= width) return text;
        int length = text.Length;
        while (length > 1 && Width(text[..length] + "…", size) > width) length--;
        return text[..length] + "…";
    }

    /// <summary>A text element; <c>10^5</c> is drawn with a raised 5 where <paramref name="powers"/> is set.</summary>
    public static XElement Element(string text, double x, double y, double size, string anchor = "start", string color = Palette.Ink,
        bool bold = false, bool vertical = false, bool powers = false)
    {
        var element = new XElement(Svg + "text",
            vertical ? new XAttribute("transform", Invariant($"translate({x:0.##} {y:0.##}) rotate(-90)"))
                : new object[] { new XAttribute("x", Invariant($"{x:0.##}")), new XAttribute("y", Invariant($"{y:0.##}")) },
            new XAttribute("font-size", size.ToString(CultureInfo.InvariantCulture)), new XAttribute("text-anchor", anchor),
            new XAttribute("fill", color));
        if (bold) element.Add(new XAttribute("font-weight", "600"));
        element.Add(powers ? Raised(text) : Xml.Clean(text));
        return element;
    }

    private static IEnumerable<object> Raised(string text)
    {
        int end = 0;
        foreach (Match match in Exponent.Matches(text))
        {
            if (match.Index > end) yield return new XElement(Svg + "tspan", Xml.Clean(text[end..match.Index]));
            yield return new XElement(Svg + "tspan", new XAttribute("dy", "-0.45em"), new XAttribute("font-size", "75%"),
                match.Groups[1].Value);
            end = match.Index + match.Length;
        }
        if (end == 0) yield return Xml.Clean(text);
        // Raised text stays raised for what follows: lower it again, by the same length at full size.
        else if (end < text.Length) yield return new XElement(Svg + "tspan", new XAttribute("dy", "0.34em"), Xml.Clean(text[end..]));
    }

    private static double Ems(char c) => c switch
    {
        'i' or 'j' or 'l' or '.' or ',' or ':' or ';' or '\'' or '|' or '!' => 0.31,
        ' ' or 'f' or 't' or 'r' or '(' or ')' or '[' or ']' or '/' or '-' => 0.39,
        'm' or 'w' or 'M' or 'W' or '%' or '@' or '…' => 0.95,
        >= 'A' and <= 'Z' => 0.72,
        > '\u2E7F' => 1,
        _ => 0.62,
    };
}

internal static class Xml
{
    /// <summary>The text without characters that no XML can hold, which a file name or a message may bring along.</summary>
    public static string Clean(string text)
    {
        if (text.All(XmlConvert.IsXmlChar)) return text;
        char[] clean = text.ToCharArray();
        for (int i = 0; i < clean.Length; i++)
        {
            if (i + 1 < clean.Length && XmlConvert.IsXmlSurrogatePair(clean[i + 1], clean[i])) i++;
            else if (!XmlConvert.IsXmlChar(clean[i])) clean[i] = '\uFFFD';
        }
        return new string(clean);
    }
}
