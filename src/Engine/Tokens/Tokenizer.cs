using System.Text;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Tokens;

/// <summary>
/// SELFIES to token ids and back as ChemGPT's Hugging Face tokenizer.json says (Frey et al. 2023): added tokens are cut out, the
/// rest is split at brackets (<c>\[(.*?)\]</c>, isolated), each piece goes through WordPiece, [CLS] and [SEP] are put around.
/// SMILES likewise, split into atoms, bonds, parentheses and ring labels. Immutable and thread safe.
/// </summary>
public sealed class Tokenizer
{
    private const string UnknownGrammar = "cannot tell the SELFIES grammar from the vocabulary";

    private readonly TokenizerDefinition definition;
    private readonly WordPiece words;
    private readonly AddedTokenSplitter before;
    private readonly AddedTokenSplitter after;
    private readonly bool[] added;
    private readonly bool plain;
    private readonly LengthRule rule;

    internal Tokenizer(TokenizerDefinition definition, LengthRule rule)
    {
        this.definition = definition;
        this.rule = rule;
        words = new WordPiece(
            definition.Entries,
            definition.ModelSize,
            definition.ContinuingPrefix,
            definition.MaximumCharacters,
            definition.Unknown);
        Vocabulary = new Vocabulary(
            definition.Entries,
            [.. definition.Added.Where(token => token.Special).Select(token => token.Id)],
            definition.Unknown,
            definition.Padding,
            definition.Start,
            definition.End);
        before = new AddedTokenSplitter(definition.Added.Where(token => !token.Normalized), text => text);
        after = new AddedTokenSplitter(definition.Added.Where(token => token.Normalized), Normalize);
        added = new bool[definition.Entries.Count];
        foreach (AddedToken token in definition.Added) added[token.Id] = true;
        // Then an added token can only be found where a bracket symbol is, and is found by looking that symbol up.
        plain = definition.Normalizer is null && definition.Added.All(token => SymbolLength(token.Text) == token.Text.Length);
    }

    /// <summary>Reads a tokenizer.json.</summary>
    /// <exception cref="InputException">
    /// No such file, or not a tokenizer of this kind: file, key, what was found and what was expected.
    /// </exception>
    public static Tokenizer Load(string path, LengthRule rule = LengthRule.Refuse)
    {
        try
        {
            return Parse(File.ReadAllText(path), path, rule);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "a tokenizer.json", e.Message);
        }
    }

    /// <summary>Reads the text of a tokenizer.json; <paramref name="place"/> names it in errors.</summary>
    /// <exception cref="InputException">Not a tokenizer of this kind.</exception>
    public static Tokenizer Parse(string json, string place, LengthRule rule = LengthRule.Refuse) =>
        new(TokenizerReader.Read(json, place), rule);

    public Vocabulary Vocabulary { get; }

    /// <summary>What the tokens are parts of.</summary>
    public Representation Representation => definition.Representation;

    /// <summary>How the molecules that it is for are written.</summary>
    /// <exception cref="InputException">SELFIES whose grammar the file does not state and the vocabulary does not show.</exception>
    internal Notation Notation => Representation == Representation.Smiles
        ? new Notation(Representation.Smiles, Canonical: definition.Canonical)
        : new Notation(Representation.Selfies, Grammar, definition.Constraints, definition.Canonical);

    /// <summary>The grammar whose symbols these are.</summary>
    /// <exception cref="InputException">The file does not state it and the vocabulary does not show it, or the tokens are those of SMILES.</exception>
    public SelfiesGrammar Grammar => Representation == Representation.Smiles
        ? throw new InputException(definition.Place, "a tokenizer of SMILES", "one of SELFIES, which have a grammar")
        : definition.StatedGrammar ?? InferredGrammar ?? throw new InputException(
            definition.Place,
            $"{UnknownGrammar}: it has neither [Branch1_1] (1.0.4) nor [Branch1] (2.1, 2.2)",
            "pre_tokenizer.chemscale.grammar, or a grammar given beside the file");

    /// <summary>How many bonds atoms may make: as the file states, else what the grammar has.</summary>
    public BondConstraints Constraints => definition.Constraints ?? Grammar.Constraints();

    /// <summary>A codec of this grammar with these constraints.</summary>
    public SelfiesCodec CreateCodec() => SelfiesCodec.Create(Grammar, Constraints);

    /// <summary>The same tokenizer, its grammar and constraints stated.</summary>
    /// <param name="grammar">Null: as it is.</param>
    /// <param name="constraints">Null: as they are, or what another grammar has.</param>
    /// <exception cref="InputException">The file, or its symbols, say another grammar; or it cannot be told.</exception>
    public Tokenizer With(SelfiesGrammar? grammar, BondConstraints? constraints = null)
    {
        if (grammar is null && constraints is null) return this;
        if (Representation == Representation.Smiles)
            throw new InputException(grammar is null ? "constraints" : "grammar", $"given for {definition.Place}, a tokenizer of SMILES", "nothing, or a tokenizer of SELFIES");
        SelfiesGrammar? known = definition.StatedGrammar ?? InferredGrammar;
        SelfiesGrammar asked = grammar ?? Grammar;
        bool fits = known is null || known == asked || (definition.StatedGrammar is null && known == SelfiesGrammar.V2 && asked == SelfiesGrammar.V22);
        if (!fits) throw new InputException(definition.Place, $"a tokenizer for SELFIES {known!.Value.Name()}", $"one for {asked.Name()}, the grammar asked for");
        return new Tokenizer(definition with { StatedGrammar = asked, Constraints = constraints ?? (known == asked ? definition.Constraints : null) }, rule);
    }

    /// <summary>The same tokenizer, for molecules that are written one way, or as they are given.</summary>
    internal Tokenizer Written(bool canonical) => canonical == definition.Canonical ? this : new Tokenizer(definition with { Canonical = canonical }, rule);

    /// <summary>The same tokenizer with more symbols, whose ids follow those that there are.</summary>
    /// <param name="symbols">Whole ones, none of which it has.</param>
    /// <param name="place">Where they are from, for errors.</param>
    /// <exception cref="InputException">A text that is no such symbol, or more tokens than ids.</exception>
    internal Tokenizer Extended(IReadOnlyList<string> symbols, string place)
    {
        var extended = new Tokenizer(TokenizerReader.Read(
            TokenizerWriter.WithSymbols(ToJson(), symbols, Vocabulary.Size, definition.ModelSize == Vocabulary.Size), definition.Place), rule);
        for (int i = 0; i < symbols.Count; i++)
        {
            int id = Vocabulary.Size + i;
            if (Vocabulary.TryFind(symbols[i], out _) || id >= extended.Vocabulary.Size || extended.Vocabulary.Text(id) != symbols[i] || !extended.IsSymbol(id))
                throw new InputException(place, $"'{symbols[i]}'", $"a symbol of {Notation.Name} that the data lack, once");
        }
        return extended;
    }

    /// <summary>True where the file states its grammar; false where <see cref="Grammar"/> is inferred from the vocabulary.</summary>
    public bool GrammarIsStated => definition.StatedGrammar is not null;

    /// <summary>The file's truncation entry; null where it has none.</summary>
    public Truncation? Truncation => definition.Truncation;

    /// <summary>A span of this length always holds the ids of a text of <paramref name="characters"/> characters.</summary>
    public int MaximumIds(int characters) => characters + 2;

    /// <summary>
    /// The ids of one molecule, [CLS] and [SEP] included, without allocating (text outside brackets and added tokens of unusual
    /// kinds aside).
    /// </summary>
    /// <returns>
    /// How many ids were written. Negative where they were refused, minus the ids the molecule has: either <paramref name="ids"/>
    /// is too short, or the file has a <see cref="Truncation"/> and the rule is to refuse.
    /// </returns>
    public int Encode(ReadOnlySpan<char> selfies, Span<ushort> ids)
    {
        IdSink sink = new(ids);
        sink.Add(definition.Start);
        EncodeBody(selfies, ref sink);
        sink.Add(definition.End);
        if (Truncation is not { } limit || sink.Count <= limit.MaximumLength) return sink.Count <= ids.Length ? sink.Count : -sink.Count;
        if (rule == LengthRule.Refuse || sink.Count > ids.Length) return -sink.Count;

        int kept = limit.MaximumLength - 2;
        if (!limit.KeepStart) ids.Slice(sink.Count - 1 - kept, kept).CopyTo(ids[1..]);
        ids[kept + 1] = definition.End;
        return limit.MaximumLength;
    }

    /// <summary>The ids of one molecule, [CLS] and [SEP] included.</summary>
    /// <exception cref="InputException">Longer than the file's <see cref="Truncation"/>, and the rule is to refuse.</exception>
    public ushort[] Encode(string selfies)
    {
        ushort[] ids = new ushort[MaximumIds(selfies.Length)];
        int count = Encode(selfies, ids);
        return count >= 0
            ? ids[..count]
            : throw new InputException(
                definition.Place,
                $"a molecule of {-count} tokens",
                $"at most {Truncation!.MaximumLength} (truncation.max_length)");
    }

    /// <summary>
    /// The ids of a text alone, no [CLS] or [SEP] and no truncation: a prompt. Returns how many were written, or minus how many
    /// there are where <paramref name="ids"/> is too short.
    /// </summary>
    public int EncodeBody(ReadOnlySpan<char> selfies, Span<ushort> ids)
    {
        IdSink sink = new(ids);
        EncodeBody(selfies, ref sink);
        return sink.Count <= ids.Length ? sink.Count : -sink.Count;
    }

    /// <summary>The text of ids, special tokens left out and continuations joined.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<ushort> ids)
    {
        StringBuilder text = new(ids.Length * 4);
        foreach (ushort id in ids)
        {
            ReadOnlySpan<char> token = Vocabulary.Text(id);
            if (Vocabulary.IsSpecial(id)) continue;
            bool continues = text.Length > 0 && token.StartsWith(definition.ContinuingPrefix, StringComparison.Ordinal);
            text.Append(continues ? token[definition.ContinuingPrefix.Length..] : token);
        }
        return text.ToString();
    }

    /// <summary>The tokenizer.json of this tokenizer: as it was read, its notation stated.</summary>
    public string ToJson() => TokenizerWriter.WithNotation(definition.Json, Notation);

    /// <summary>Writes <see cref="ToJson"/>.</summary>
    public void Save(string path) => DiskStorage.Shared.WriteAtomically(path, ToJson());

    /// <summary>One whole symbol as one token: in brackets or the dot between molecules; of SMILES, what they are split into.</summary>
    internal bool IsSymbol(int id)
    {
        if (id >= Vocabulary.Size || Vocabulary.IsSpecial(id)) return false;
        ReadOnlySpan<char> text = Vocabulary.Text(id);
        if (Representation == Representation.Smiles) return text.Length > 0 && AtomSplit.PlainLength(text) == text.Length;
        return text is "." || (text.Length > 2 && SymbolLength(text) == text.Length);
    }

    private SelfiesGrammar? InferredGrammar =>
        Vocabulary.TryFind("[Branch1_1]", out _) ? SelfiesGrammar.V1
        : Vocabulary.TryFind("[Branch1]", out _) ? SelfiesGrammar.V2
        : null;

    private void EncodeBody(ReadOnlySpan<char> selfies, ref IdSink sink)
    {
        if (plain) selfies = selfies[EncodeSymbols(selfies, ref sink)..];
        if (selfies.Length > 0) EncodeAnything(selfies.ToString(), ref sink);
    }

    // Bracket symbols from the start of the text, or atoms of SMILES, as far as there is nothing else: returns where it stopped.
    private int EncodeSymbols(ReadOnlySpan<char> selfies, ref IdSink sink)
    {
        int at = 0;
        while (at < selfies.Length)
        {
            int length = Representation == Representation.Smiles ? AtomSplit.PlainLength(selfies[at..]) : SymbolLength(selfies[at..]);
            if (length == 0) break;
            ReadOnlySpan<char> symbol = selfies.Slice(at, length);
            int id = words.Whole(symbol);
            if (id < 0 && !Added(symbol, out id)) sink.Add(words.Ids(symbol));
            else sink.Add(id);
            at += length;
        }
        return at;
    }

    // Reached for symbols that are not entries of the model, or longer than its limit.
    private bool Added(ReadOnlySpan<char> symbol, out int id)
    {
        id = definition.Entries.Find(symbol);
        return id >= 0 && added[id];
    }

    private void EncodeAnything(string text, ref IdSink sink)
    {
        foreach ((int first, string part) in before.Split(text))
        {
            if (first >= 0)
            {
                sink.Add(first);
                continue;
            }
            foreach ((int second, string piece) in after.Split(Normalize(part)))
            {
                if (second >= 0) sink.Add(second);
                else EncodePieces(piece, ref sink);
            }
        }
    }

    private void EncodePieces(ReadOnlySpan<char> text, ref IdSink sink)
    {
        while (text.Length > 0)
        {
            int length = Notation.NextPiece(Representation, text);
            sink.Add(words.Ids(text[..length]));
            text = text[length..];
        }
    }

    private string Normalize(string text) => definition.Normalizer?.Apply(text) ?? text;

    private static int SymbolLength(ReadOnlySpan<char> text) => BracketSplit.SymbolLength(text);
}

/// <summary>Ids on their way into a caller's span: counts on where the span is full, so that the caller learns what it needed.</summary>
internal ref struct IdSink(Span<ushort> ids)
{
    private readonly Span<ushort> ids = ids;

    public int Count { get; private set; }

    public void Add(int id)
    {
        if ((uint)Count < (uint)ids.Length) ids[Count] = (ushort)id;
        Count++;
    }

    public void Add(ReadOnlySpan<ushort> ids)
    {
        foreach (ushort id in ids) Add(id);
    }
}
