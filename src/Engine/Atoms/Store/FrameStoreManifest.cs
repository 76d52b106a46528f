using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>
/// frames.json: what a frame store holds and where it came from. Written last, so that its presence says the store is complete.
/// </summary>
public sealed record FrameStoreManifest
{
    public const string FileName = "frames.json";

    /// <summary>Version of the layout on disk.</summary>
    public const int Format = 1;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required FrameCounts Train { get; init; }

    public required FrameCounts Validation { get; init; }

    /// <summary>Of the training frames.</summary>
    public required FrameStatistics Statistics { get; init; }

    /// <summary>Kinds of configurations; frames hold indices into this.</summary>
    public required IReadOnlyList<string> ConfigTypes { get; init; }

    public required IReadOnlyList<FrameSource> Sources { get; init; }

    /// <summary>Decides the order, and the sides where nothing else does.</summary>
    public required long Seed { get; init; }

    /// <summary>How the sides were told apart, in words.</summary>
    public required string Split { get; init; }

    /// <summary>Copies of frames that were left out.</summary>
    public required long Duplicates { get; init; }

    /// <summary>The options of whoever made the store, by name.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    /// <summary>Of the data files' checksums: the same for the same frames in the same order, wherever the folder is.</summary>
    public string Fingerprint => StoreFiles.Fingerprint(Files);

    internal string ToJson() => new JsonObject
    {
        ["format"] = Format,
        ["rule"] = FrameSplitRule.Name,
        ["seed"] = Seed,
        ["split"] = Split,
        ["units"] = "eV, Angstrom",
        ["train"] = Counts(Train),
        ["validation"] = Counts(Validation),
        ["duplicates"] = Duplicates,
        ["statistics"] = StatisticsJson.Write(Statistics),
        ["configTypes"] = new JsonArray([.. ConfigTypes.Select(type => (JsonNode)type)]),
        ["sources"] = new JsonArray([.. Sources.Select(source => new JsonObject
        {
            ["file"] = source.File,
            ["frames"] = source.Frames,
            ["keys"] = new JsonArray([.. source.Keys.Select(key => (JsonNode)key)]),
            ["validation"] = source.Validation,
        })]),
        ["options"] = new JsonObject(Options.OrderBy(option => option.Key, StringComparer.Ordinal)
            .Select(option => KeyValuePair.Create(option.Key, (JsonNode?)JsonValue.Create(option.Value)))),
        ["files"] = new JsonArray([.. Files.Select(file =>
            new JsonObject { ["name"] = file.Name, ["bytes"] = file.Bytes, ["sha256"] = file.Sha256 })]),
    }.ToJsonString(Indented) + "\n";

    /// <exception cref="InputException">Not a manifest, by key.</exception>
    internal static FrameStoreManifest Parse(string json, string file)
    {
        using JsonDocument document = JsonPlace.Document(json, file);
        JsonPlace root = new(file, "", document.RootElement);
        JsonPlace format = root.Required("format", $"{Format}");
        if (format.Integer() != Format) throw format.Wrong($"{Format}", "prepare the frames again with this version");
        root.Required("rule", $"'{FrameSplitRule.Name}'").OneOf(FrameSplitRule.Name);
        return new FrameStoreManifest
        {
            Train = Counts(root.Required("train", "counts")),
            Validation = Counts(root.Required("validation", "counts")),
            Statistics = StatisticsJson.Read(root.Required("statistics", "statistics")),
            ConfigTypes = [.. root.Required("configTypes", "a list of names").Items().Select(item => item.Text())],
            Sources = [.. root.Required("sources", "a list of files").Items().Select(item => new FrameSource(
                item.Required("file", "a file name").Text(),
                item.Required("frames", "a count").Integer(),
                [.. item.Required("keys", "a list of names").Items().Select(key => key.Text())],
                item.Required("validation", "true or false").Boolean()))],
            Seed = root.Required("seed", "a seed").Integer(long.MinValue),
            Split = root.Required("split", "how the sides were told apart").Text(),
            Duplicates = root.Required("duplicates", "a count").Integer(),
            Options = root.Required("options", "names and values").Members().ToDictionary(
                member => member.Key, member => member.Value.Text()),
            Files = [.. root.Required("files", "a list of files").Items().Select(item => new StoredFile(
                item.Required("name", "a file name").Text(),
                item.Required("bytes", "a size").Integer(),
                item.Required("sha256", "a checksum").Text()))],
        };
    }

    private static JsonObject Counts(FrameCounts counts) =>
        new() { ["frames"] = counts.Frames, ["atoms"] = counts.Atoms, ["largest"] = counts.Largest };

    private static FrameCounts Counts(JsonPlace counts) => new(
        counts.Required("frames", "a count").Integer(),
        counts.Required("atoms", "a count").Integer(),
        (int)counts.Required("largest", "a count").Integer(0, int.MaxValue));
}
