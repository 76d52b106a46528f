using System.Xml.Linq;

namespace ChemScale.Engine.Studies.Report;

/// <summary>A table in a box that scrolls by itself on narrow screens. Columns of numbers are right-aligned.</summary>
internal sealed class HtmlTable(string caption, bool synthetic, params (string Title, bool Number)[] columns)
{
    private readonly List<XElement> _rows = [];

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
        _rows.Add(row);
    }

    public XElement Render()
    {
        XElement[] titles =
        [
            .. columns.Select(c => Html.Element("th", Html.Attribute("scope", "col"), c.Number ? Html.Class("number") : null, c.Title)),
        ];
        XElement empty = Html.Element("tr", Html.Element("td", new XAttribute("colspan", columns.Length), "None."));
        XElement table = Html.Element("table", Html.Element("thead", Html.Element("tr", titles)),
            Html.Element("tbody", _rows.Count > 0 ? _rows : empty));
        // The caption stays outside of what scrolls, or narrow screens would cut it.
        return Html.Element("div", Html.Class("table"),
            Html.Paragraph(Html.Class("caption"), Html.SyntheticLabel(synthetic), Html.Powers(caption)),
            Html.Element("div", Html.Class("scroll"), Html.Attribute("tabindex", "0"), Html.Attribute("role", "region"),
                Html.Attribute("aria-label", caption), table));
    }
}
