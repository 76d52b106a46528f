using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>store.json: what a token store holds and where it came from.</summary>
public sealed record StoreManifest : Manifest
{
    public const string FileName = "store.json";

    private static readonly string[] Keys =
    [
        "representation", "grammar", "vocabulary", "split", "train", "validation", "duplicates", "duplicatesDropped", "unknownTokens", "source", "synthetic",
    ];

    /// <summary>What the molecules are stored as.</summary>
    public Representation Representation { get; init; }

    /// <summary>Of SELFIES; SMILES have none, and 1.0.4 stands here.</summary>
    public required SelfiesGrammar Grammar { get; init; }

    /// <summary>Representation and grammar, for people.</summary>
    internal string NotationName => new Notation(Representation, Grammar).Name;

    public required int VocabularySize { get; init; }

    public required SplitRule Split { get; init; }

    public required SplitCounts Train { get; init; }

    public required SplitCounts Validation { get; init; }

    /// <summary>Further copies of a molecule: by key, or by text where the split is.</summary>
    public required long Duplicates { get; init; }

    public required bool DuplicatesDropped { get; init; }

    /// <summary>[UNK] ids in both sides.</summary>
    public required long UnknownTokens { get; init; }

    /// <summary>Where the molecules came from, in words.</summary>
    public required string Source { get; init; }

    /// <summary>True where the molecules were enumerated, not found: figures from them must say so.</summary>
    public required bool Synthetic { get; init; }

    /// <exception cref="InputException">No manifest, or not one, by key.</exception>
    internal static StoreManifest Read(string folder, out string sha256) => Read(folder, StoreLayout.Names, Keys, Parse, out sha256);

    private protected override JsonObject Content() => new()
    {
        // As version 0.3 has it; stores of SMILES are none of its.
        [Representation == Representation.Smiles ? "representation" : "grammar"] = Representation == Representation.Smiles ? "smiles" : Grammar.Name(),
        ["vocabulary"] = new JsonObject { ["file"] = StoreLayout.Tokenizer, ["size"] = VocabularySize },
        ["split"] = new JsonObject
        {
            ["rule"] = Split.Name,
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
    };

    private static StoreManifest Parse(JsonPlace root, IReadOnlyDictionary<string, string> options, IReadOnlyList<StoredFile> files)
    {
        JsonPlace split = root.Required("split", "the split rule");
        string[] rules = [.. Enum.GetValues<SplitKind>().Select(SplitRule.NameOf)];
        string rule = split.Required("rule", $"'{SplitRule.NameOf(SplitKind.Molecule)}'").OneOf(rules);
        JsonPlace fraction = split.Required("validationFraction", "a fraction");
        if (fraction.Number() is not (>= 0 and < 1)) throw fraction.Wrong("a number from 0 up to, not including, 1");
        JsonPlace vocabulary = root.Required("vocabulary", "file and size");
        vocabulary.Required("file", $"'{StoreLayout.Tokenizer}'").OneOf(StoreLayout.Tokenizer);
        bool smiles = root.Optional("representation") is { IsNull: false } representation && representation.OneOf("selfies", "smiles") == "smiles";
        return new StoreManifest
        {
            Representation = smiles ? Representation.Smiles : Representation.Selfies,
            Grammar = smiles ? SelfiesGrammar.V1 : SelfiesGrammars.Parse(root.Required("grammar", SelfiesGrammars.Names).OneOf("1.0.4", "2.1", "2.2")),
            VocabularySize = (int)vocabulary.Required("size", "a count").Integer(1, ushort.MaxValue + 1),
            Split = new SplitRule(fraction.Number(), split.Required("seed", "a seed").Integer(long.MinValue), (SplitKind)Array.IndexOf(rules, rule)),
            Train = Counts(root.Required("train", "counts")),
            Validation = Counts(root.Required("validation", "counts")),
            Duplicates = root.Required("duplicates", "a count").Integer(),
            DuplicatesDropped = root.Required("duplicatesDropped", "true or false").Boolean(),
            UnknownTokens = root.Required("unknownTokens", "a count").Integer(),
            Source = root.Required("source", "where the molecules came from").Text(),
            Synthetic = root.Required("synthetic", "true or false").Boolean(),
            Options = options,
            Files = files,
        };
    }

    private static JsonObject Counts(SplitCounts counts) =>
        new() { ["documents"] = counts.Documents, ["tokens"] = counts.Tokens, ["longest"] = counts.Longest };

    private static SplitCounts Counts(JsonPlace counts) => new(
        // Their numbers of bytes must be numbers, too.
        counts.Required("documents", "a count").Integer(0, long.MaxValue / sizeof(ulong) - 1),
        counts.Required("tokens", "a count").Integer(0, long.MaxValue / sizeof(ushort)),
        (int)counts.Required("longest", "a count").Integer(0, int.MaxValue));
}

/// <summary>Names in a store's folder.</summary>
internal static class StoreLayout
{
    /// <summary>Ids of one side, 16-bit little endian, document after document.</summary>
    public static string Tokens(string split) => $"{split}.tokens";

    /// <summary>Where each document starts, 64-bit little endian, and behind them the number of tokens: documents + 1 values.</summary>
    public static string Offsets(string split) => $"{split}.offsets";

    public const string Train = "train";

    public const string Validation = "validation";

    public const string Tokenizer = "tokenizer.json";

    /// <summary>All files but the manifest.</summary>
    public static IReadOnlyList<string> Data { get; } =
        [Tokenizer, Tokens(Train), Offsets(Train), Tokens(Validation), Offsets(Validation)];

    public static StoreNames Names { get; } = new("token store", StoreManifest.FileName, Data);
}

/// <summary>What one side of a store holds.</summary>
/// <param name="Documents">Molecules.</param>
/// <param name="Tokens">Ids, [CLS] and [SEP] included.</param>
/// <param name="Longest">Ids of the longest molecule; 0 where there is none.</param>
public sealed record SplitCounts(long Documents, long Tokens, int Longest);

/// <summary>By what a molecule falls on its side.</summary>
public enum SplitKind
{
    /// <summary>Its SELFIES as written, as in version 0.3: copies that are written differently may fall on both sides.</summary>
    Text,

    /// <summary>Its <see cref="MoleculeKey"/>: all ways of writing a molecule fall on one side.</summary>
    Molecule,

    /// <summary>The key of its Murcko scaffold: molecules of one scaffold fall on one side; those without rings, by their own keys.</summary>
    Scaffold,
}

/// <summary>
/// Which side a molecule falls on, and its place in the order of its side: both from a hash of what it is and a seed alone. So a
/// molecule falls on the same side in every corpus, and the first n documents are a random sample for every n.
/// </summary>
public sealed record SplitRule
{
    private const ulong SideSalt = 0xD6E8FEB86659FD93;
    private const double TwoToMinus64 = 1.0 / 18446744073709551616.0;

    /// <summary>By text.</summary>
    /// <exception cref="InputException">A fraction outside [0, 1).</exception>
    public SplitRule(double validationFraction, long seed)
        : this(validationFraction, seed, SplitKind.Text)
    {
    }

    /// <param name="validationFraction">Share held out.</param>
    /// <param name="seed">Decides side and order.</param>
    /// <param name="kind">By what.</param>
    /// <exception cref="InputException">A fraction outside [0, 1).</exception>
    public SplitRule(double validationFraction, long seed, SplitKind kind)
    {
        if (!(validationFraction is >= 0 and < 1))
        {
            throw new InputException("validation fraction", $"{validationFraction}", "a number from 0 up to, not including, 1");
        }
        ValidationFraction = validationFraction;
        Seed = seed;
        Kind = kind;
    }

    public double ValidationFraction { get; }

    public long Seed { get; }

    public SplitKind Kind { get; }

    /// <summary>Named in the store, so that a later rule cannot be taken for this one.</summary>
    public string Name => NameOf(Kind);

    /// <summary>The name of a rule.</summary>
    public static string NameOf(SplitKind kind) => kind switch
    {
        SplitKind.Text => "xxh64-utf16-v1",
        SplitKind.Molecule => "molecule-key-v1",
        _ => "scaffold-key-v1",
    };

    /// <summary>A molecule's place in the order, by its text.</summary>
    public ulong Key(ReadOnlySpan<char> selfies) => StableHash.Of(selfies, (ulong)Seed);

    /// <summary>A molecule's place in the order, by what it is.</summary>
    public ulong Key(MoleculeKey key) => StableHash.Of(MemoryMarshal.AsBytes((ReadOnlySpan<ulong>)[key.High, key.Low]), (ulong)Seed);

    /// <summary>True where the molecule with this key is held out. Independent of the order of keys.</summary>
    public bool IsValidation(ulong key) => StableHash.Avalanche(key ^ SideSalt) * TwoToMinus64 < ValidationFraction;
}
