using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>summary.json: camelCase, indented, NaN and infinities by name, fates as words.</summary>
public static class SummaryJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        // A file, not a page: Greek letters and plus signs stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Write(StudySummary summary) => JsonSerializer.Serialize(summary, Options) + "\n";

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="json">The text of a summary.json.</param>
    /// <param name="place">Where it came from, for the message.</param>
    /// <exception cref="InputException">The text is not a study's summary.</exception>
    public static StudySummary Read(string json, string place = "summary.json")
    {
        const string Expected = "the summary.json of a study";
        try
        {
            return JsonSerializer.Deserialize<StudySummary>(json, Options) ?? throw new InputException(place, "null", Expected);
        }
        catch (JsonException e)
        {
            throw new InputException(place, e.Message, Expected);
        }
    }
}
