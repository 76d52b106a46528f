using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>frames.json: what a frame store holds and where it came from.</summary>
public sealed record FrameStoreManifest : Manifest
{
    public const string FileName = "frames.json";

    private const string Units = "eV, Angstrom";

    private static readonly string[] Keys =
    [
        "rule", "seed", "split", "units", "train", "validation", "duplicates", "statistics", "configTypes", "sources",
    ];

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

    /// <exception cref="InputException">No manifest, or not one, by key.</exception>
    internal static FrameStoreManifest Read(string folder, out string sha256) => Read(folder, FrameStoreLayout.Names, Keys, Parse, out sha256);

    private protected override JsonObject Content() => new()
    {
        ["rule"] = FrameSplitRule.Name,
        ["seed"] = Seed,
        ["split"] = Split,
        ["units"] = Units,
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
    };

    private static FrameStoreManifest Parse(JsonPlace root, IReadOnlyDictionary<string, string> options, IReadOnlyList<StoredFile> files)
    {
        root.Required("rule", $"'{FrameSplitRule.Name}'").OneOf(FrameSplitRule.Name);
        root.Required("units", $"'{Units}'").OneOf(Units);
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
            Options = options,
            Files = files,
        };
    }

    private static JsonObject Counts(FrameCounts counts) =>
        new() { ["frames"] = counts.Frames, ["atoms"] = counts.Atoms, ["largest"] = counts.Largest };

    private static FrameCounts Counts(JsonPlace counts) => new(
        // Their numbers of bytes must be numbers, too.
        counts.Required("frames", "a count").Integer(0, long.MaxValue / 1024),
        counts.Required("atoms", "a count").Integer(0, long.MaxValue / 1024),
        (int)counts.Required("largest", "a count").Integer(0, int.MaxValue));
}
