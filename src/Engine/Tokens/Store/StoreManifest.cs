using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// store.json: what a token store holds and where it came from. Written last, so that its presence says the store is complete.
/// </summary>
public sealed record StoreManifest
{
    public const string FileName = "store.json";

    /// <summary>Version of the layout on disk.</summary>
    public const int Format = 1;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required SelfiesGrammar Grammar { get; init; }

    public required int VocabularySize { get; init; }

    public required SplitRule Split { get; init; }

    public required SplitCounts Train { get; init; }

    public required SplitCounts Validation { get; init; }

    /// <summary>Exact duplicates found, by text.</summary>
    public required long Duplicates { get; init; }

    public required bool DuplicatesDropped { get; init; }

    /// <summary>[UNK] ids in both sides.</summary>
    public required long UnknownTokens { get; init; }

    /// <summary>Where the molecules came from, in words.</summary>
    public required string Source { get; init; }

    /// <summary>True where the molecules were enumerated, not found: figures from them must say so.</summary>
    public required bool Synthetic { get; init; }

    /// <summary>The options of whoever made the store, by name.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    /// <summary>Of the data files' checksums: the same for the same tokens in the same order, wherever the folder is.</summary>
    public string Fingerprint => StoreFiles.Fingerprint(Files);

    internal string ToJson()
    {
        JsonObject root = new()
        {
            ["format"] = Format,
            ["grammar"] = Grammar.Name(),
            ["vocabulary"] = new JsonObject { ["file"] = StoreLayout.Tokenizer, ["size"] = VocabularySize },
            ["split"] = new JsonObject
            {
                ["rule"] = SplitRule.Name,
                ["seed"] = Split.Seed,
                ["validationFraction"] = Split.ValidationFraction,
            },
            ["train"] = Counts(Train),
            ["validation"] = Counts(Validation),
            ["duplicates"] = Duplicates,
            ["duplicatesDropped"] = DuplicatesDropped,
            ["unknownTokens"] = UnknownTokens,
            ["source"] = Source,
            ["synthetic"] = Synthetic,
            ["options"] = new JsonObject(Options.OrderBy(option => option.Key, StringComparer.Ordinal)
                .Select(option => KeyValuePair.Create(option.Key, (JsonNode?)JsonValue.Create(option.Value)))),
            ["files"] = new JsonArray([.. Files.Select(file =>
                new JsonObject { ["name"] = file.Name, ["bytes"] = file.Bytes, ["sha256"] = file.Sha256 })]),
        };
        return root.ToJsonString(Indented) + "\n";
    }

    /// <exception cref="InputException">Not a manifest, by key.</exception>
    internal static StoreManifest Parse(string json, string file)
    {
        using JsonDocument document = JsonPlace.Document(json, file);
        JsonPlace root = new(file, "", document.RootElement);
        JsonPlace format = root.Required("format", $"{Format}");
        if (format.Integer() != Format) throw format.Wrong($"{Format}", "prepare the molecules again with this version");
        JsonPlace split = root.Required("split", "the split rule");
        split.Required("rule", $"'{SplitRule.Name}'").OneOf(SplitRule.Name);
        JsonPlace vocabulary = root.Required("vocabulary", "file and size");
        vocabulary.Required("file", $"'{StoreLayout.Tokenizer}'").OneOf(StoreLayout.Tokenizer);
        return new StoreManifest
        {
            Grammar = SelfiesGrammars.Parse(root.Required("grammar", "1.0.4 or 2.1").OneOf("1.0.4", "2.1")),
            VocabularySize = (int)vocabulary.Required("size", "a count").Integer(1, ushort.MaxValue + 1),
            Split = new SplitRule(
                split.Required("validationFraction", "a fraction").Number(),
                split.Required("seed", "a seed").Integer(long.MinValue)),
            Train = Counts(root.Required("train", "counts")),
            Validation = Counts(root.Required("validation", "counts")),
            Duplicates = root.Required("duplicates", "a count").Integer(),
            DuplicatesDropped = root.Required("duplicatesDropped", "true or false").Boolean(),
            UnknownTokens = root.Required("unknownTokens", "a count").Integer(),
            Source = root.Required("source", "where the molecules came from").Text(),
            Synthetic = root.Required("synthetic", "true or false").Boolean(),
            Options = root.Required("options", "names and values").Members().ToDictionary(
                member => member.Key,
                member => member.Value.Text()),
            Files = [.. root.Required("files", "a list of files").Items().Select(item => new StoredFile(
                item.Required("name", "a file name").Text(),
                item.Required("bytes", "a size").Integer(),
                item.Required("sha256", "a checksum").Text()))],
        };
    }

    private static JsonObject Counts(SplitCounts counts) =>
        new() { ["documents"] = counts.Documents, ["tokens"] = counts.Tokens, ["longest"] = counts.Longest };

    private static SplitCounts Counts(JsonPlace counts) => new(
        counts.Required("documents", "a count").Integer(),
        counts.Required("tokens", "a count").Integer(),
        (int)counts.Required("longest", "a count").Integer(0, int.MaxValue));
}
