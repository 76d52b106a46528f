using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Perf.Counting;

namespace ChemScale.Perf.Measuring;

/// <summary>The file that a run writes.</summary>
internal sealed record RunResult
{
    public const int CurrentFormat = 1;

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // No plus sign of a version comes out as an escape.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public int Format { get; init; } = CurrentFormat;

    /// <summary>Of this program.</summary>
    public string Version { get; init; } = "";

    public string Command { get; init; } = "";

    /// <summary>Tasks of one run have the same.</summary>
    public string Group { get; init; } = "";

    public DateTime Started { get; init; }

    public DateTime Ended { get; init; }

    public HostFacts Host { get; init; } = new();

    /// <summary>What the machine could do when each benchmark began.</summary>
    public IReadOnlyDictionary<string, Rates> Rates { get; init; } = new Dictionary<string, Rates>();

    public IReadOnlyList<Measurement> Records { get; init; } = [];

    /// <summary>Of runs on the interpreter: counted, not measured.</summary>
    public IReadOnlyList<CountedPass> Counted { get; init; } = [];

    public IReadOnlyList<Slope> Slopes { get; init; } = [];

    public IReadOnlyList<Skipped> Skipped { get; init; } = [];

    /// <summary>What the results say, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whole or not at all.</summary>
    public void Write(string path)
    {
        string temporary = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, Json) + "\n");
        File.Move(temporary, path, overwrite: true);
    }
}
