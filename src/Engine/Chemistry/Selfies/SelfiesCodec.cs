namespace ChemScale.Engine.Chemistry.Selfies;

/// <summary>
/// SMILES to SELFIES and back in one grammar. An instance owns its buffers: use one per thread; a returned span is valid until the
/// next call on the same instance. A refusal is a return value, not an exception: corpora are full of them.
/// </summary>
public sealed class SelfiesCodec
{
    private readonly Func<ReadOnlySpan<char>, string?> encode, decode;
    private readonly Func<ReadOnlySpan<char>> encoded, decoded;

    /// <param name="grammar">Of both.</param>
    /// <param name="encode">Reads a SMILES; why not, or null.</param>
    /// <param name="encoded">What came of the last that it read.</param>
    /// <param name="decode">Reads a SELFIES, likewise.</param>
    /// <param name="decoded">What came of it.</param>
    private SelfiesCodec(SelfiesGrammar grammar, Func<ReadOnlySpan<char>, string?> encode, Func<ReadOnlySpan<char>> encoded,
        Func<ReadOnlySpan<char>, string?> decode, Func<ReadOnlySpan<char>> decoded) =>
        (Grammar, this.encode, this.encoded, this.decode, this.decoded) = (grammar, encode, encoded, decode, decoded);

    public SelfiesGrammar Grammar { get; }

    /// <summary>Why the last Try call returned false: one line, stable enough to count by. Empty after a success.</summary>
    public string Reason { get; private set; } = "";

    public static SelfiesCodec Create(SelfiesGrammar grammar) => grammar switch
    {
        SelfiesGrammar.V1 => Of(grammar, new V1.SelfiesV1Encoder(), new V1.SelfiesV1Decoder()),
        SelfiesGrammar.V2 => Of(grammar, new V2.SelfiesV2Encoder(), new V2.SelfiesV2Decoder()),
        _ => throw new NotSupportedException(grammar.Name()),
    };

    /// <summary>One SMILES (dots allowed) to SELFIES; false where the Python package of this version refuses.</summary>
    public bool TryEncode(ReadOnlySpan<char> smiles, out ReadOnlySpan<char> selfies) => Try(encode, encoded, smiles, out selfies);

    /// <summary>One SELFIES to SMILES; false where the Python package of this version refuses.</summary>
    public bool TryDecode(ReadOnlySpan<char> selfies, out ReadOnlySpan<char> smiles) => Try(decode, decoded, selfies, out smiles);

    // Neither grammar's parts know of the codec, so no type is common to them.
    private static SelfiesCodec Of(SelfiesGrammar grammar, V1.SelfiesV1Encoder encoder, V1.SelfiesV1Decoder decoder) =>
        new(grammar, encoder.Encode, () => encoder.Text, decoder.Decode, () => decoder.Text);

    private static SelfiesCodec Of(SelfiesGrammar grammar, V2.SelfiesV2Encoder encoder, V2.SelfiesV2Decoder decoder) =>
        new(grammar, encoder.Encode, () => encoder.Text, decoder.Decode, () => decoder.Text);

    private bool Try(Func<ReadOnlySpan<char>, string?> read, Func<ReadOnlySpan<char>> written, ReadOnlySpan<char> from, out ReadOnlySpan<char> to)
    {
        string? refusal = read(from);
        Reason = refusal ?? "";
        to = refusal is null ? written() : default;
        return refusal is null;
    }
}

/// <summary>
/// The SELFIES grammars (Krenn et al. 2020, doi 10.1088/2632-2153/aba947) this engine speaks, named after the versions of the Python
/// package <c>selfies</c> whose output they reproduce character for character.
/// </summary>
public enum SelfiesGrammar
{
    /// <summary>selfies 1.0.4, what ChemGPT was trained on: <c>[Branch1_1]</c>, <c>[Expl=Ring1]</c>, <c>[C@@Hexpl]</c>.</summary>
    V1,

    /// <summary>selfies 2.1: <c>[Branch1]</c>, <c>[=Ring1]</c>, <c>[C@@H1]</c>.</summary>
    V2,
}

public static class SelfiesGrammars
{
    /// <summary>Reads <c>1.0.4</c> or <c>2.1</c> (also <c>1</c>, <c>v1</c>, <c>2</c>, <c>v2</c>).</summary>
    /// <exception cref="InputException">Anything else.</exception>
    public static SelfiesGrammar Parse(string name) => name.Trim().ToLowerInvariant() switch
    {
        "1.0.4" or "1.0" or "1" or "v1" => SelfiesGrammar.V1,
        "2.1" or "2.1.1" or "2" or "v2" => SelfiesGrammar.V2,
        _ => throw new InputException("grammar", $"'{name}'", "1.0.4 or 2.1"),
    };

    public static string Name(this SelfiesGrammar grammar) => grammar == SelfiesGrammar.V1 ? "1.0.4" : "2.1";
}

/// <summary>Splits a SELFIES string, of either grammar, into its symbols: <c>[..]</c> and the dot between fragments.</summary>
internal static class SelfiesSymbols
{
    /// <summary>Usable in <c>foreach</c> without allocation. Stops at the first place that is neither a closed bracket nor a dot.</summary>
    public static Enumerator Enumerate(ReadOnlySpan<char> selfies) => new(selfies);

    /// <summary>
    /// The molecule at the beginning of a line: the first word or, where that is a single symbol, as some corpora are written, all symbols
    /// that follow, without the blanks between them.
    /// </summary>
    public static ReadOnlySpan<char> Field(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> rest = line.Trim();
        int end = rest.IndexOfAny(' ', '\t');
        if (end < 0) return rest;
        if (rest[0] != '[' || rest.IndexOf(']') != end - 1) return rest[..end];
        var joined = new TextBuffer();
        while (rest.Length > 0 && rest[0] is '[' or '.')
        {
            end = rest.IndexOfAny(' ', '\t');
            joined.Append(end < 0 ? rest : rest[..end]);
            rest = end < 0 ? default : rest[end..].TrimStart();
        }
        return joined.Text;
    }

    /// <summary>Walks the symbols; each is a slice of the string, brackets included.</summary>
    public ref struct Enumerator(ReadOnlySpan<char> selfies)
    {
        /// <summary>What is not read yet; after the walk, the malformed tail, empty where the string is sound.</summary>
        public ReadOnlySpan<char> Remainder { get; private set; } = selfies;

        public ReadOnlySpan<char> Current { get; private set; }

        public readonly Enumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            ReadOnlySpan<char> rest = Remainder;
            if (rest.IsEmpty) return false;
            int length = rest[0] switch { '.' => 1, '[' => rest.IndexOf(']') + 1, _ => 0 };
            Current = rest[..length];
            Remainder = rest[length..];
            return length > 0;
        }
    }
}
