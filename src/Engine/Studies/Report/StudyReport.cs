using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Xml.Linq;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// Writes what a study found: report.html (self-contained, without scripts or network), summary.json, and under figures/ each picture as
/// SVG with the numbers behind it as CSV.
/// </summary>
public static class StudyReport
{
    public const string PageName = "report.html";
    public const string SummaryName = "summary.json";

    /// <summary>Writes the report, each file under a temporary name that is then renamed, the page last.</summary>
    /// <param name="summary">What the study found; empty lists and values that are not numbers show as dashes.</param>
    /// <param name="directory">Made where it does not exist; files of an earlier report are replaced.</param>
    /// <returns>The path of the page.</returns>
    /// <exception cref="InputException">The directory cannot be written.</exception>
    public static string Write(StudySummary summary, string directory) => Write(summary, directory, DiskStorage.Shared);

    /// <param name="summary">As above.</param>
    /// <param name="directory">As above.</param>
    /// <param name="storage">Writes.</param>
    /// <param name="stop">Heard between figures; files that are there are whole then.</param>
    internal static string Write(StudySummary summary, string directory, IStorage storage, CancellationToken stop = default)
    {
        IReadOnlyList<PartFigures> figures = PartFigures.Of(summary);
        ReportFiles.Write(directory, [(SummaryName, SummaryJson.Write(summary))], figures.SelectMany(f => f.All),
            (PageName, ReportPage.Render(summary, figures)), storage, stop);
        return Path.Combine(directory, PageName);
    }
}

/// <summary>A page and its figures as files: each under a temporary name that is then renamed, the page last.</summary>
internal static class ReportFiles
{
    /// <exception cref="InputException">The directory cannot be written.</exception>
    public static void Write(string directory, IEnumerable<(string Name, string Content)> first, IEnumerable<Figure> figures, (string Name, string Content) page,
        IStorage storage, CancellationToken stop = default)
    {
        var files = new List<(string Name, string Content)>(first);
        foreach (Figure figure in figures)
        {
            stop.ThrowIfCancellationRequested();
            files.Add((figure.CsvPath, figure.Numbers.ToString()));
            files.Add((figure.SvgPath, figure.Svg().ToString(SaveOptions.DisableFormatting) + "\n"));
        }
        files.Add(page);
        try
        {
            storage.EnsureDirectory(Path.Combine(directory, "figures"));
            foreach ((string name, string content) in files) storage.WriteAtomically(Path.Combine(directory, name), content);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(directory, e.Message, "a directory that can be written");
        }
    }
}

/// <summary>summary.json: camelCase, indented, NaN and infinities by name, fates as words, sealed.</summary>
internal static class SummaryJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        // Read back, a damaged seal would be such a member.
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        // A file, not a page: Greek letters and plus signs stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Write(StudySummary summary) => Sealed(summary);

    /// <summary>Any summary, as <see cref="ReadSealed"/> reads it.</summary>
    public static string Sealed<T>(T summary) => Encoding.UTF8.GetString(Seal.Json(JsonSerializer.Serialize(summary, Options)));

    /// <param name="path">Of a file that <see cref="Sealed"/> wrote.</param>
    /// <exception cref="InputException">It is damaged, or something else.</exception>
    public static T ReadSealed<T>(string path) => Seal.ReadJson<T>(path, Options, "the summary of a study");

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="json">The text of a summary.json.</param>
    /// <param name="place">Where it came from, for the message.</param>
    /// <exception cref="InputException">The text is not a study's summary.</exception>
    public static StudySummary Read(string json, string place = "summary.json")
    {
        const string Expected = "the summary.json of a study";
        try
        {
            ReadOnlySpan<byte> content = Seal.OpenJson(Encoding.UTF8.GetBytes(json), place, out InputException? damage);
            JsonNode? tree = JsonNode.Parse(content);
            bool[] unclaimed = [.. Unclaimed(tree)];
            StudySummary summary = tree.Deserialize<StudySummary>(Options) ?? throw new InputException(place, "null", Expected);
            return damage is null ? Claimed(summary, unclaimed) : throw damage;
        }
        catch (JsonException e)
        {
            throw new InputException(place, e.Message, Expected);
        }
    }

    /// <summary>Version 0.3 kept exponents without a claim: they are taken out, and claimed again from the points beside them.</summary>
    /// <returns>For each part, whether that is to be done.</returns>
    private static IEnumerable<bool> Unclaimed(JsonNode? tree)
    {
        foreach (JsonObject? grid in ((tree as JsonObject)?["parts"] as JsonArray ?? []).Select(part => (part as JsonObject)?["grid"] as JsonObject))
        {
            bool old = grid?["fits"] is JsonArray fits && fits.Any(f => f is JsonObject fit && !fit.ContainsKey("claim"))
                || grid?["allocation"] is JsonObject allocation && !allocation.ContainsKey("claim");
            if (old)
            {
                grid!["fits"] = new JsonArray();
                grid["allocation"] = null;
            }
            yield return old;
        }
    }

    private static StudySummary Claimed(StudySummary summary, bool[] unclaimed) => summary with
    {
        Parts = [.. summary.Parts.Select((part, i) => !unclaimed[i] ? part : part with
        {
            Grid = part.Grid with { Fits = GridFits.Of(part.Grid.Points, part.ItemName), Allocation = GridAllocation.Of(part.Grid.Points, part.ItemName) },
        })],
    };
}
