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
    /// <param name="constraints">Of both.</param>
    private SelfiesCodec(SelfiesGrammar grammar, BondConstraints constraints, Func<ReadOnlySpan<char>, string?> encode, Func<ReadOnlySpan<char>> encoded,
        Func<ReadOnlySpan<char>, string?> decode, Func<ReadOnlySpan<char>> decoded) =>
        (Grammar, Constraints, this.encode, this.encoded, this.decode, this.decoded) = (grammar, constraints, encode, encoded, decode, decoded);

    public SelfiesGrammar Grammar { get; }

    /// <summary>How many bonds atoms may make.</summary>
    public BondConstraints Constraints { get; }

    /// <summary>Why the last Try call returned false: one line, stable enough to count by. Empty after a success.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>A codec with the constraints that the grammar has.</summary>
    public static SelfiesCodec Create(SelfiesGrammar grammar) => Create(grammar, null);

    /// <param name="grammar">Which symbols.</param>
    /// <param name="constraints">How many bonds atoms may make; null: what the grammar has.</param>
    public static SelfiesCodec Create(SelfiesGrammar grammar, BondConstraints? constraints)
    {
        constraints ??= grammar.Constraints();
        return grammar switch
        {
            SelfiesGrammar.V1 => Of(grammar, constraints, new V1.SelfiesV1Encoder(), new V1.SelfiesV1Decoder(constraints)),
            SelfiesGrammar.V2 or SelfiesGrammar.V22 => Of(grammar, constraints, new V2.SelfiesV2Encoder(constraints), new V2.SelfiesV2Decoder(constraints)),
            _ => throw new NotSupportedException(grammar.Name()),
        };
    }

    /// <summary>One SMILES (dots allowed) to SELFIES; false where the Python package of this version refuses.</summary>
    public bool TryEncode(ReadOnlySpan<char> smiles, out ReadOnlySpan<char> selfies) => Try(encode, encoded, smiles, out selfies);

    /// <summary>One SELFIES to SMILES; false where the Python package of this version refuses.</summary>
    public bool TryDecode(ReadOnlySpan<char> selfies, out ReadOnlySpan<char> smiles) => Try(decode, decoded, selfies, out smiles);

    // Neither grammar's parts know of the codec, so no type is common to them.
    private static SelfiesCodec Of(SelfiesGrammar grammar, BondConstraints constraints, V1.SelfiesV1Encoder encoder, V1.SelfiesV1Decoder decoder) =>
        new(grammar, constraints, encoder.Encode, () => encoder.Text, decoder.Decode, () => decoder.Text);

    private static SelfiesCodec Of(SelfiesGrammar grammar, BondConstraints constraints, V2.SelfiesV2Encoder encoder, V2.SelfiesV2Decoder decoder) =>
        new(grammar, constraints, encoder.Encode, () => encoder.Text, decoder.Decode, () => decoder.Text);

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

    /// <summary>selfies 2.2: the symbols of 2.1, with other constraints: C+1 3, P+1 4, P-1 6 and S+1 5 bonds.</summary>
    V22,
}

public static class SelfiesGrammars
{
    /// <summary>All names, as errors list them.</summary>
    internal const string Names = "1.0.4, 2.1 or 2.2";

    /// <summary>Reads <c>1.0.4</c>, <c>2.1</c> or <c>2.2</c> (also <c>1</c>, <c>v1</c>, <c>2</c>, <c>v2</c>, which is 2.1).</summary>
    /// <exception cref="InputException">Anything else.</exception>
    public static SelfiesGrammar Parse(string name) => name.Trim().ToLowerInvariant() switch
    {
        "1.0.4" or "1.0" or "1" or "v1" => SelfiesGrammar.V1,
        "2.1" or "2.1.1" or "2" or "v2" => SelfiesGrammar.V2,
        "2.2" or "2.2.0" => SelfiesGrammar.V22,
        _ => throw new InputException("grammar", $"'{name}'", Names),
    };

    /// <summary>How many bonds atoms may make where nothing else is given.</summary>
    public static BondConstraints Constraints(this SelfiesGrammar grammar) => grammar switch
    {
        SelfiesGrammar.V1 => BondConstraints.Selfies104,
        SelfiesGrammar.V22 => BondConstraints.Selfies22,
        _ => BondConstraints.Selfies21,
    };

    public static string Name(this SelfiesGrammar grammar) => grammar switch
    {
        SelfiesGrammar.V1 => "1.0.4",
        SelfiesGrammar.V22 => "2.2",
        _ => "2.1",
    };
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
