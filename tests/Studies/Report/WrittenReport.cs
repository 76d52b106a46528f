using System.Xml.Linq;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Tests.Studies.Report;

/// <summary>A report written into a folder of its own, read back.</summary>
internal sealed class WrittenReport : IDisposable
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private readonly TemporaryFolder folder = new();

    public WrittenReport(StudySummary summary)
    {
        string page = StudyReport.Write(summary, folder.Path);
        Html = File.ReadAllText(page);
        // Well-formed as XML, so balanced as HTML.
        Page = XDocument.Parse(Html);
    }

    public string Folder => folder.Path;

    public string Html { get; }

    public XDocument Page { get; }

    /// <summary>What a reader sees, without style and pictures.</summary>
    public string Text
    {
        get
        {
            var copy = new XDocument(Page);
            copy.Descendants().Where(e => e.Name == "style" || e.Name == Svg + "svg").Remove();
            return copy.Root!.Value;
        }
    }

    public IEnumerable<XElement> Pictures => Page.Descendants(Svg + "svg");

    public string[] Headings => [.. Page.Descendants().Where(e => e.Name.LocalName is "h1" or "h2" or "h3" or "h4").Select(e => e.Value)];

    public string Csv(string name) => File.ReadAllText(Path.Combine(Folder, "figures", name + ".csv"));

    /// <summary>Rows of a figure's CSV by column name; for values without quotes.</summary>
    public Dictionary<string, string>[] Rows(string name)
    {
        string[] lines = Csv(name).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] header = lines[0].Split(',');
        return [.. lines.Skip(1).Select(line => header.Zip(Split(line)).ToDictionary(p => p.First, p => p.Second))];
    }

    public void Dispose() => folder.Dispose();

    private static List<string> Split(string line)
    {
        List<string> cells = [""];
        bool quoted = false;
        foreach (char c in line)
        {
            if (c == '"') quoted = !quoted;
            else if (c == ',' && !quoted) cells.Add("");
            else cells[^1] += c;
        }
        return cells;
    }
}
