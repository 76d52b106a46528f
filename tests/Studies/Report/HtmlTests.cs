using System.Xml.Linq;
using ChemScale.Engine.Studies.Report;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Report;

public class HtmlTests
{
    [TestCase("<script>alert(1)</script>"), TestCase("\" onload=\"alert(1)"), TestCase("a & b <!-- c"), TestCase("]]>"), TestCase("\u0000\u001b[2K")]
    public void A_name_is_text_wherever_it_stands(string name)
    {
        var table = new HtmlTable(name, synthetic: false, HtmlTable.Text(name), HtmlTable.Number("n"));
        table.Add(name, name);
        string page = Html.Write(Html.Element("html", Html.Element("h1", name), Html.Link("#" + name, name), Html.Code(name), Html.List([name]), table.Render()));
        XElement read = XElement.Parse(page["<!DOCTYPE html>\n".Length..]);
        Assert.That(read.Descendants().Select(e => e.Name.LocalName).Distinct(), Has.No.Member("script"));
        Assert.That(read.Descendants().Attributes().Select(a => a.Name.LocalName), Has.No.Member("onload"));
        string shown = name.Replace("\0", "", StringComparison.Ordinal).Replace("\u001b", "", StringComparison.Ordinal);
        Assert.That(read.Element("h1")!.Value.Replace("\ufffd", "", StringComparison.Ordinal), Is.EqualTo(shown));
    }
}
