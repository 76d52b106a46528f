using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens;

/// <summary>Makes the text of a tokenizer.json that the Hugging Face library reads.</summary>
internal static class TokenizerWriter
{
    private const int DefaultMaximumCharacters = 100;

    // Symbols hold + and #: left as they are.
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Special tokens of a new vocabulary, at ids 0 to 4 as in ChemGPT's.</summary>
    public static ImmutableArray<string> Specials { get; } = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>Id of [CLS] in a new vocabulary.</summary>
    public const int StartId = 2;

    /// <summary>Id of [SEP] in a new vocabulary.</summary>
    public const int EndId = 3;

    /// <summary>The same document with its notation stated.</summary>
    public static string WithNotation(string json, Notation notation)
    {
        JsonObject root = JsonNode.Parse(json)!.AsObject();
        JsonObject stated = notation.IsSmiles ? new() { ["representation"] = "smiles" } : new() { ["grammar"] = notation.Grammar.Name() };
        if (!notation.IsSmiles && notation.Constraints is { } constraints && !constraints.Equals(notation.Grammar.Constraints())) stated["constraints"] = constraints.ToJson();
        if (notation.Canonical) stated["writing"] = "canonical";
        root[TokenizerReader.NotationHolder]!.AsObject()[TokenizerReader.NotationKey] = stated;
        return root.ToJsonString(Relaxed);
    }

    /// <summary>A document in which each of <paramref name="symbols"/> is one token, after the special ones.</summary>
    public static string Symbols(IReadOnlyList<string> symbols, Notation notation)
    {
        JsonObject vocabulary = [];
        foreach (string text in Specials.Concat(symbols)) vocabulary[text] = vocabulary.Count;
        int longest = symbols.Select(symbol => symbol.Length).DefaultIfEmpty().Max();
        JsonObject root = new()
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. Specials.Select(AddedToken)]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Split",
                ["pattern"] = new JsonObject { ["Regex"] = notation.IsSmiles ? AtomSplit.Pattern : BracketSplit.Pattern },
                ["behavior"] = "Isolated",
                ["invert"] = false,
            },
            ["post_processor"] = Template(),
            ["decoder"] = notation.IsSmiles ? new JsonObject { ["type"] = "Fuse" }
                : new JsonObject { ["type"] = "WordPiece", ["prefix"] = "##", ["cleanup"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "WordPiece",
                ["unk_token"] = Specials[0],
                ["continuing_subword_prefix"] = "##",
                ["max_input_chars_per_word"] = Math.Max(DefaultMaximumCharacters, longest),
                ["vocab"] = vocabulary,
            },
        };
        return WithNotation(root.ToJsonString(Relaxed), notation);
    }

    /// <summary>The same document with more tokens.</summary>
    /// <param name="json">Of a tokenizer.</param>
    /// <param name="symbols">Their texts.</param>
    /// <param name="first">Id of the first of them.</param>
    /// <param name="inModel">Its model holds all tokens so far; else others come behind the model's, and these have to follow.</param>
    public static string WithSymbols(string json, IReadOnlyList<string> symbols, int first, bool inModel)
    {
        JsonObject root = JsonNode.Parse(json)!.AsObject(), model = root["model"]!.AsObject();
        for (int i = 0; i < symbols.Count; i++)
        {
            if (inModel) model["vocab"]!.AsObject()[symbols[i]] = first + i;
            else root["added_tokens"]!.AsArray().Add(AddedToken(symbols[i], first + i, special: false));
        }
        int longest = symbols.Select(symbol => symbol.Length).DefaultIfEmpty().Max();
        if ((int)model["max_input_chars_per_word"]! < longest) model["max_input_chars_per_word"] = longest;
        return root.ToJsonString(Relaxed);
    }

    private static JsonObject AddedToken(string text, int id) => AddedToken(text, id, special: true);

    private static JsonObject AddedToken(string text, int id, bool special) => new()
    {
        ["id"] = id,
        ["special"] = special,
        ["content"] = text,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
    };

    private static JsonObject Template()
    {
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(Token("[CLS]", 0), Sequence("A", 0), Token("[SEP]", 0)),
            ["pair"] = new JsonArray(Token("[CLS]", 0), Sequence("A", 0), Token("[SEP]", 0), Sequence("B", 1), Token("[SEP]", 1)),
            ["special_tokens"] = new JsonObject { ["[CLS]"] = Ids("[CLS]", StartId), ["[SEP]"] = Ids("[SEP]", EndId) },
        };

        static JsonObject Token(string id, int type) => new() { ["SpecialToken"] = new JsonObject { ["id"] = id, ["type_id"] = type } };
        static JsonObject Sequence(string id, int type) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = type } };
        static JsonObject Ids(string id, int value) =>
            new() { ["id"] = id, ["ids"] = new JsonArray(value), ["tokens"] = new JsonArray(id) };
    }
}
