using System.Collections.Concurrent;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Engine.Tokens;

namespace ChemScale.Engine.Generation;

/// <summary>
/// Whole symbols of the grammar, in places where it has a meaning for them, and an end only where there is a molecule: every finished sequence
/// decodes to one with atoms. A published tokenizer has hundreds of pieces of symbols that no molecule holds, and a model draws them now and then.
/// </summary>
internal sealed class SymbolRule : ISequenceRule
{
    // Before the first atom, behind one with bonds left, in a branch.
    private static readonly (string Before, string Behind)[] Places = [("", ""), ("[C]", ""), ("[C]", "[C]"), ("[C][C]", "[C][C][C]")];

    private readonly Tokenizer tokenizer;
    private readonly ConcurrentBag<SelfiesCodec> codecs = [];
    private readonly bool[] depends;

    /// <param name="tokenizer">Of the model.</param>
    /// <param name="vocabularySize">Of the model: ids beyond the tokenizer's stand for nothing.</param>
    public SymbolRule(Tokenizer tokenizer, int vocabularySize)
    {
        this.tokenizer = tokenizer;
        Vocabulary vocabulary = tokenizer.Vocabulary;
        depends = new bool[vocabularySize];
        var never = new List<int>();
        for (int id = 0; id < vocabularySize; id++)
        {
            if (id == vocabulary.End) continue;
            int held = tokenizer.IsSymbol(id) ? Places.Count(place => IsDecoded(place.Before + vocabulary.Text(id) + place.Behind, out _)) : 0;
            if (held == 0) never.Add(id);
            depends[id] = held < Places.Length;
        }
        Never = never;
    }

    /// <summary>Ids that stand for no symbol, or for none that the grammar can read anywhere.</summary>
    public IReadOnlyList<int> Never { get; }

    public bool Allows(List<int> ids, int id)
    {
        if (id == tokenizer.Vocabulary.End) return IsDecoded(Text(ids, []), out bool empty) && !empty;
        return !depends[id] || IsDecoded(Text(ids, [id]), out _);
    }

    private string Text(List<int> ids, ReadOnlySpan<int> more)
    {
        var all = new ushort[ids.Count + more.Length];
        for (int i = 0; i < ids.Count; i++) all[i] = (ushort)ids[i];
        for (int i = 0; i < more.Length; i++) all[ids.Count + i] = (ushort)more[i];
        return tokenizer.Decode(all);
    }

    private bool IsDecoded(string selfies, out bool empty)
    {
        if (!codecs.TryTake(out SelfiesCodec? codec)) codec = tokenizer.CreateCodec();
        bool decoded = codec.TryDecode(selfies, out ReadOnlySpan<char> smiles);
        empty = smiles.Length == 0;
        codecs.Add(codec);
        return decoded;
    }
}

/// <summary>What a drawn text stands for, SELFIES or SMILES. One thread.</summary>
internal sealed class DrawnText
{
    private readonly SelfiesCodec? codec;
    private readonly SmilesReader reader = new();
    private readonly Molecule molecule = new();

    public DrawnText(Tokenizer tokenizer) => codec = tokenizer.Notation.CreateCodec();

    /// <summary>Why the last text stands for no molecule: one line, stable enough to count by.</summary>
    public string Reason => codec?.Reason ?? reader.Reason;

    /// <summary>The molecule as SMILES; empty where it has no atoms, null where there is none.</summary>
    public string? Smiles(string drawn)
    {
        if (codec is not null) return codec.TryDecode(drawn, out ReadOnlySpan<char> smiles) ? smiles.ToString() : null;
        return drawn.Length == 0 || reader.TryRead(drawn, molecule) ? drawn : null;
    }
}

/// <summary>What all molecules of a sampling begin with.</summary>
public sealed record MoleculePrompt
{
    /// <summary>Nothing.</summary>
    public static MoleculePrompt None { get; } = new() { Selfies = "", Smiles = "" };

    /// <summary>What the sequences begin with, in the grammar of the model's tokenizer; of a model of SMILES, the SMILES.</summary>
    public required string Selfies { get; init; }

    /// <summary>What it decodes to; of a model of SMILES, a beginning of SMILES, whose branches and rings may be open.</summary>
    public required string Smiles { get; init; }

    /// <summary>Its tokens.</summary>
    internal int[] Ids { get; init; } = [];

    /// <summary>
    /// Reads a prompt: every symbol must be a token of the model's vocabulary, and the whole decode to a molecule, or be a beginning of one where the model
    /// is one of SMILES.
    /// </summary>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="text">SELFIES or SMILES; empty: <see cref="None"/>.</param>
    /// <param name="form">Which of them.</param>
    /// <exception cref="InputException">It is neither, or not what was said, or has symbols that the model does not know.</exception>
    public static MoleculePrompt Read(Tokenizer tokenizer, string text, PromptForm form)
    {
        if (text.Length == 0) return None;
        if (tokenizer.Representation == Representation.Smiles) return Beginning(tokenizer, text, form);
        string grammar = $"SELFIES {tokenizer.Grammar.Name()}";
        MoleculePrompt? prompt = null;
        string? refused = form == PromptForm.Smiles ? null : FromSelfies(tokenizer, text, out prompt);
        if (prompt is not null) return prompt;
        string? asSmiles = form == PromptForm.Selfies ? null : FromSmiles(tokenizer, text, out prompt);
        if (prompt is not null) return prompt;
        string expected = form switch
        {
            PromptForm.Selfies => $"symbols of {grammar} that the model knows",
            PromptForm.Smiles => $"SMILES whose {grammar} symbols the model knows",
            _ => $"{grammar} that the model knows, or SMILES",
        };
        throw new InputException("prompt", $"'{text}': {string.Join("; ", ((string?[])[refused, asSmiles]).OfType<string>())}", expected);
    }

    /// <exception cref="InputException">SELFIES, atoms that the model does not know, or what no SMILES begins with.</exception>
    private static MoleculePrompt Beginning(Tokenizer tokenizer, string text, PromptForm form)
    {
        const string expected = "a beginning of SMILES in tokens that the model knows";
        if (form == PromptForm.Selfies) throw new InputException("prompt", $"'{text}' as SELFIES", $"{expected}: it is a model of SMILES");
        var ids = new List<int>();
        for (ReadOnlySpan<char> rest = text; rest.Length > 0;)
        {
            int length = Notation.NextPiece(Representation.Smiles, rest);
            if (!tokenizer.Vocabulary.TryFind(rest[..length], out ushort id) || !tokenizer.IsSymbol(id))
                throw new InputException("prompt", $"'{text}': the model has no token {rest[..length]}", expected);
            ids.Add(id);
            rest = rest[length..];
        }
        var reader = new SmilesReader();
        if (!reader.TryRead(text, new Molecule()) && !MoreMayMend(reader, text))
            throw new InputException("prompt", $"'{text}': {reader.Reason} at character {reader.Position + 1}", expected);
        return new MoleculePrompt { Selfies = text, Smiles = text, Ids = [.. ids] };
    }

    /// <summary>What is open, or said only when all atoms are there, or a bond whose atom is still to come.</summary>
    private static bool MoreMayMend(SmilesReader reader, string text) =>
        reader.Reason.StartsWith("unclosed", StringComparison.Ordinal) || reader.Reason is "no Kekule structure" or "aromatic atom outside a ring"
        || (text.Length > 1 && text[^2] != '.' && reader.Position == text.Length - 1 && reader.Reason is "bond without atom" or "empty fragment");

    private static string? FromSelfies(Tokenizer tokenizer, string text, out MoleculePrompt? prompt)
    {
        prompt = null;
        var ids = new List<int>();
        SelfiesSymbols.Enumerator symbols = SelfiesSymbols.Enumerate(text);
        while (symbols.MoveNext())
        {
            if (!tokenizer.Vocabulary.TryFind(symbols.Current, out ushort id) || !tokenizer.IsSymbol(id))
                return $"the model has no symbol {symbols.Current}";
            ids.Add(id);
        }
        if (symbols.Remainder.Length > 0) return "not SELFIES";
        SelfiesCodec codec = tokenizer.CreateCodec();
        if (!codec.TryDecode(text, out ReadOnlySpan<char> smiles)) return $"not SELFIES of this grammar: {codec.Reason}";
        if (smiles.Length == 0) return "decodes to no atoms";
        prompt = new MoleculePrompt { Selfies = text, Smiles = smiles.ToString(), Ids = [.. ids] };
        return null;
    }

    private static string? FromSmiles(Tokenizer tokenizer, string text, out MoleculePrompt? prompt)
    {
        prompt = null;
        // In its own order: what a prompt begins with is what was written first.
        var encoder = new Tokens.Preparation.SmilesEncoder(
            new Tokens.Preparation.PreparationOptions { Output = "", KeepStereo = true, Fragments = Tokens.Preparation.FragmentRule.All },
            tokenizer.Notation with { Canonical = false });
        if (!encoder.TryEncode(text, out ReadOnlySpan<char> selfies)) return $"not SMILES: {encoder.Reason}";
        if (selfies.Length == 0) return "not SMILES: no atoms";
        if (encoder.IsChanged) return "as SELFIES of this grammar it is another molecule";
        return FromSelfies(tokenizer, selfies.ToString(), out prompt);
    }
}

/// <summary>How a prompt is written.</summary>
public enum PromptForm
{
    /// <summary>SELFIES where every symbol is one that the model knows, else SMILES.</summary>
    Auto,

    Selfies,

    Smiles,
}
