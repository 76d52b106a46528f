using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>summary.json: camelCase, indented, NaN and infinities by name, fates as words, sealed.</summary>
public static class SummaryJson
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

    public static string Write(StudySummary summary) => Encoding.UTF8.GetString(Seal.Json(JsonSerializer.Serialize(summary, Options)));

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
            StudySummary summary = JsonSerializer.Deserialize<StudySummary>(content, Options) ?? throw new InputException(place, "null", Expected);
            return damage is null ? summary : throw damage;
        }
        catch (JsonException e)
        {
            throw new InputException(place, e.Message, Expected);
        }
    }
}
