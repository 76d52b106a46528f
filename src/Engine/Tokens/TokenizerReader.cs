using System.Text.Json;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens;

/// <summary>
/// Reads the tokenizer.json of the Hugging Face library as far as ChemGPT's kind goes, and refuses whatever it could not reproduce.
/// </summary>
internal static class TokenizerReader
{
    /// <summary>Where the notation is kept. Hugging Face readers refuse unknown keys at the top level and ignore them here.</summary>
    public const string NotationHolder = "pre_tokenizer";

    public const string NotationKey = "chemscale";

    private const int MaximumSize = ushort.MaxValue + 1;

    public static TokenizerDefinition Read(string json, string file)
    {
        using JsonDocument document = JsonPlace.Document(json, file);
        JsonPlace root = new(file, "", document.RootElement);
        root.Required("version", "'1.0'").OneOf("1.0");
        JsonPlace model = root.Required("model", "a WordPiece model");
        model.Required("type", "'WordPiece'").OneOf("WordPiece");

        SymbolTable entries = ReadVocabulary(model.Required("vocab", "token texts and their ids"), file);
        int modelSize = entries.Count;
        IReadOnlyList<AddedToken> added = ReadAdded(root.Optional("added_tokens"), entries);
        JsonPlace splitter = root.Required("pre_tokenizer", "a Split at brackets, or of SMILES into atoms");
        Representation representation = ReadSplit(splitter);
        CheckDecoder(root.Optional("decoder"), representation);
        (ushort start, ushort end) = ReadTemplate(root.Required("post_processor", "a template [CLS] A [SEP]"), entries.Count);
        JsonPlace notation = splitter.Optional(NotationKey);
        if (!notation.IsNull) CheckRepresentation(notation, representation);
        bool hasGrammar = representation == Representation.Selfies && !notation.IsNull;
        return new TokenizerDefinition
        {
            Place = file,
            Json = json,
            Entries = entries,
            ModelSize = modelSize,
            Added = added,
            ContinuingPrefix = model.Required("continuing_subword_prefix", "'##'").Text(),
            MaximumCharacters = (int)model.Required("max_input_chars_per_word", "a count").Integer(1, int.MaxValue),
            Unknown = ReadUnknown(model.Required("unk_token", "the unknown token"), entries, modelSize),
            Padding = ReadPadding(root.Optional("padding"), entries),
            Start = start,
            End = end,
            Normalizer = ReadNormalizer(root.Optional("normalizer")),
            Truncation = ReadTruncation(root.Optional("truncation")),
            Representation = representation,
            Canonical = !notation.IsNull && notation.Optional("writing") is { IsNull: false } writing && writing.OneOf("given", "canonical") == "canonical",
            StatedGrammar = hasGrammar ? ReadGrammar(notation.Required("grammar", SelfiesGrammars.Names)) : null,
            Constraints = hasGrammar ? ReadConstraints(notation.Optional("constraints"), file) : null,
        };
    }

    private static SymbolTable ReadVocabulary(JsonPlace vocabulary, string file)
    {
        Dictionary<int, string> texts = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach ((string text, JsonPlace value) in vocabulary.Members())
        {
            int id = (int)value.Integer(0, MaximumSize - 1);
            if (!texts.TryAdd(id, text)) throw value.Wrong($"each id once ('{texts[id]}' has it too)");
            if (!seen.Add(text)) throw value.Wrong($"'{text}' once");
        }
        if (texts.Count == 0) throw vocabulary.Wrong("at least one token");

        SymbolTable entries = new();
        for (int id = 0; id < texts.Count; id++)
        {
            if (!texts.TryGetValue(id, out string? text))
            {
                throw new InputException($"{file}: model.vocab", $"no token has id {id}", $"ids 0 to {texts.Count - 1}, each once");
            }
            entries.Add(text);
        }
        return entries;
    }

    private static List<AddedToken> ReadAdded(JsonPlace list, SymbolTable entries)
    {
        List<AddedToken> added = [];
        if (list.IsNull) return added;
        foreach (JsonPlace item in list.Items())
        {
            foreach (string flag in (ReadOnlySpan<string>)["single_word", "lstrip", "rstrip"])
            {
                JsonPlace value = item.Optional(flag);
                if (!value.IsNull && value.Boolean()) throw value.Wrong("false");
            }
            string text = item.Required("content", "the token's text").Text();
            int known = entries.Find(text);
            JsonPlace id = item.Required("id", "the token's id");
            if (id.Integer() != (known >= 0 ? known : entries.Count))
            {
                throw id.Wrong($"{(known >= 0 ? known : entries.Count)}, the id '{text}' gets from the vocabulary");
            }
            if (entries.Count == MaximumSize && known < 0) throw id.Wrong($"at most {MaximumSize} tokens");
            JsonPlace normalized = item.Optional("normalized");
            added.Add(new AddedToken(
                (ushort)entries.Add(text),
                text,
                item.Required("special", "true or false").Boolean(),
                normalized.IsNull || normalized.Boolean()));
        }
        return added;
    }

    private static Representation ReadSplit(JsonPlace splitter)
    {
        splitter.Required("type", "'Split'").OneOf("Split");
        string pattern = splitter.Required("pattern", "a Regex").Required("Regex", BracketSplit.Pattern).OneOf(
            BracketSplit.Pattern,
            @"\[.*?\]",
            @"(\[.*?\])",
            AtomSplit.Pattern);
        splitter.Required("behavior", "'Isolated'").OneOf("Isolated");
        JsonPlace invert = splitter.Optional("invert");
        if (!invert.IsNull && invert.Boolean()) throw invert.Wrong("false");
        return pattern == AtomSplit.Pattern ? Representation.Smiles : Representation.Selfies;
    }

    /// <summary>What the file says of its representation, against what its pattern splits.</summary>
    private static void CheckRepresentation(JsonPlace notation, Representation split)
    {
        JsonPlace stated = notation.Optional("representation");
        if (split == Representation.Smiles)
        {
            notation.Required("representation", "'smiles', as the pattern splits").OneOf("smiles");
            foreach (string key in (ReadOnlySpan<string>)["grammar", "constraints"])
                if (notation.Optional(key) is { IsNull: false } idle) throw idle.Wrong("none: SMILES have none");
        }
        else if (!stated.IsNull)
        {
            stated.OneOf("selfies");
        }
    }

    private static void CheckDecoder(JsonPlace decoder, Representation representation)
    {
        if (decoder.IsNull) return;
        if (representation == Representation.Smiles) decoder.Required("type", "'Fuse'").OneOf("Fuse", "WordPiece");
        else decoder.Required("type", "'WordPiece'").OneOf("WordPiece");
    }

    private static (ushort Start, ushort End) ReadTemplate(JsonPlace template, int size)
    {
        template.Required("type", "'TemplateProcessing'").OneOf("TemplateProcessing");
        JsonPlace single = template.Required("single", "[CLS] A [SEP]");
        JsonPlace[] items = [.. single.Items()];
        if (items.Length != 3 || items[1].Optional("Sequence").IsNull)
        {
            throw single.Wrong("[CLS] A [SEP]: one token before and one after the sequence");
        }
        JsonPlace tokens = template.Required("special_tokens", "the ids of the template's tokens");
        return (TokenId(items[0]), TokenId(items[2]));

        ushort TokenId(JsonPlace item)
        {
            string name = item.Required("SpecialToken", "a special token").Required("id", "its name").Text();
            JsonPlace ids = tokens.Required(name, "ids and tokens").Required("ids", "one id");
            JsonPlace[] list = [.. ids.Items()];
            return list.Length == 1 ? (ushort)list[0].Integer(0, size - 1) : throw ids.Wrong("one id");
        }
    }

    private static ushort ReadUnknown(JsonPlace unknown, SymbolTable entries, int modelSize)
    {
        int id = entries.Find(unknown.Text());
        return id >= 0 && id < modelSize ? (ushort)id : throw unknown.Wrong("a token of model.vocab");
    }

    private static ushort? ReadPadding(JsonPlace padding, SymbolTable entries)
    {
        if (!padding.IsNull) return (ushort)padding.Required("pad_id", "an id").Integer(0, entries.Count - 1);
        int id = entries.Find("[PAD]");
        return id >= 0 ? (ushort)id : null;
    }

    private static Normalizer? ReadNormalizer(JsonPlace normalizer)
    {
        if (normalizer.IsNull) return null;
        return normalizer.Required("type", "a normalizer").OneOf("Lowercase", "Strip", "Sequence") switch
        {
            "Lowercase" => new Normalizer.Lowercase(),
            "Strip" => new Normalizer.Strip(
                normalizer.Required("strip_left", "true or false").Boolean(),
                normalizer.Required("strip_right", "true or false").Boolean()),
            _ => new Normalizer.Sequence([.. normalizer.Required("normalizers", "a list").Items().Select(item => ReadNormalizer(item)!)]),
        };
    }

    private static Truncation? ReadTruncation(JsonPlace truncation)
    {
        if (truncation.IsNull) return null;
        int maximum = (int)truncation.Required("max_length", "a count").Integer(2, int.MaxValue);
        JsonPlace strategy = truncation.Optional("strategy");
        if (!strategy.IsNull) strategy.OneOf("LongestFirst", "OnlyFirst");
        JsonPlace direction = truncation.Optional("direction");
        return new Truncation(maximum, direction.IsNull || direction.OneOf("Right", "Left") == "Right");
    }

    private static SelfiesGrammar ReadGrammar(JsonPlace grammar)
    {
        try
        {
            return SelfiesGrammars.Parse(grammar.Text());
        }
        catch (InputException)
        {
            throw grammar.Wrong(SelfiesGrammars.Names);
        }
    }

    private static BondConstraints? ReadConstraints(JsonPlace constraints, string file) =>
        constraints.IsNull ? null : BondConstraints.Parse(constraints.Raw(), $"{file}: pre_tokenizer.chemscale.constraints");
}
