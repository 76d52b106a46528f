using System.Collections;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// Builds the page as a tree, so that every text is escaped and every tag is closed; what is written is HTML and well-formed XML at once.
/// </summary>
internal static class Html
{
    private static readonly HashSet<string> Void = ["meta", "br", "hr", "col"];

    /// <summary>An element; strings among the content become text, or attributes by way of <see cref="Attribute"/>.</summary>
    public static XElement Element(string name, params object?[] content) => new(name, Prepared(content));

    public static XAttribute Attribute(string name, string value) => new(name, Xml.Clean(value));

    public static XAttribute Class(string value) => new("class", value);

    /// <summary>Text in which <c>10^5</c> gets a raised 5: for what the report itself writes, as a command may hold a caret.</summary>
    public static IEnumerable<XNode> Powers(string text)
    {
        int end = 0;
        foreach (Match match in SvgText.Exponent.Matches(text))
        {
            if (match.Index > end) yield return new XText(Xml.Clean(text[end..match.Index]));
            yield return new XElement("sup", match.Groups[1].Value);
            end = match.Index + match.Length;
        }
        if (end < text.Length) yield return new XText(Xml.Clean(text[end..]));
    }

    public static XElement Paragraph(params object?[] content) => Element("p", content);

    public static XElement Link(string address, string text) => Element("a", Attribute("href", address), text);

    public static XElement Section(string id, int level, string title, params object?[] content) =>
        Element("section", Attribute("id", id), Element("h" + level, title), content);

    public static XElement? List(IEnumerable<string> items)
    {
        XElement[] entries = [.. items.Select(i => Element("li", i))];
        return entries.Length == 0 ? null : Element("ul", entries.Cast<object>().ToArray());
    }

    /// <summary>Text that stays on one line of its cell.</summary>
    public static XElement Unbroken(string text) => Element("span", Class("unbroken"), text);

    public static XElement Code(string command) => Element("pre", Element("code", command));

    /// <summary>The mark that numbers of synthetic data carry wherever they stand; nothing for real data.</summary>
    public static XElement? SyntheticLabel(bool synthetic) =>
        synthetic ? Element("span", Class("synthetic"), "SYNTHETIC DATA") : null;

    /// <summary>The whole page as text.</summary>
    public static string Write(XElement html)
    {
        // HTML has no <p/>: only void elements, and those of SVG, may close themselves.
        foreach (XElement element in html.DescendantsAndSelf().Where(e => e.IsEmpty && e.Name.NamespaceName.Length == 0).ToList())
        {
            if (!Void.Contains(element.Name.LocalName)) element.Add("");
        }
        var text = new StringBuilder("<!DOCTYPE html>\n");
        var settings = new XmlWriterSettings { OmitXmlDeclaration = true, NewLineHandling = NewLineHandling.None };
        using (var writer = XmlWriter.Create(text, settings)) html.WriteTo(writer);
        return text.Append('\n').ToString();
    }

    private static object? Prepared(object? content) => content switch
    {
        string text => Xml.Clean(text),
        IEnumerable list => list.Cast<object?>().Select(Prepared).ToArray(),
        _ => content,
    };
}

/// <summary>A table in a box that scrolls by itself on narrow screens. Columns of numbers are right-aligned.</summary>
internal sealed class HtmlTable(string caption, bool synthetic, params (string Title, bool Number)[] columns)
{
    private readonly List<XElement> rows = [];

    public static (string, bool) Text(string title) => (title, false);

    public static (string, bool) Number(string title) => (title, true);

    /// <summary>Adds a row. Strings in number columns may hold powers of ten; those in text columns are taken as they are.</summary>
    public void Add(params object?[] cells) => Add(emphasised: false, cells);

    public void Add(bool emphasised, params object?[] cells)
    {
        if (cells.Length != columns.Length)
            throw new ArgumentException($"{cells.Length} cells for {columns.Length} columns", nameof(cells));
        var row = Html.Element("tr", emphasised ? Html.Class("selected") : null);
        for (int i = 0; i < cells.Length; i++)
        {
            object? content = cells[i] is "" or null ? Numbers.Missing : cells[i];
            row.Add(columns[i].Number && content is string text
                ? Html.Element("td", Html.Class("number"), Html.Powers(text)) : Html.Element("td", content));
        }
        rows.Add(row);
    }

    /// <summary>Words on the last row, under it and across all columns: a column of sentences would be as narrow as its longest word.</summary>
    public void Note(string words)
    {
        rows[^1].SetAttributeValue("class", string.Join(' ', ((string?[])[(string?)rows[^1].Attribute("class"), "noted"]).OfType<string>()));
        rows.Add(Html.Element("tr", Html.Element("td", new XAttribute("colspan", columns.Length), Html.Element("div", Html.Class("note"), words))));
    }

    public XElement Render()
    {
        XElement[] titles =
        [
            .. columns.Select(c => Html.Element("th", Html.Attribute("scope", "col"), c.Number ? Html.Class("number") : null, c.Title)),
        ];
        XElement empty = Html.Element("tr", Html.Element("td", new XAttribute("colspan", columns.Length), "None."));
        XElement table = Html.Element("table", Html.Element("thead", Html.Element("tr", titles)),
            Html.Element("tbody", rows.Count > 0 ? rows : empty));
        // The caption stays outside of what scrolls, or narrow screens would cut it.
        return Html.Element("div", Html.Class("table"),
            Html.Paragraph(Html.Class("caption"), Html.SyntheticLabel(synthetic), Html.Powers(caption)),
            Html.Element("div", Html.Class("scroll"), Html.Attribute("tabindex", "0"), Html.Attribute("role", "region"),
                Html.Attribute("aria-label", caption), table));
    }
}
