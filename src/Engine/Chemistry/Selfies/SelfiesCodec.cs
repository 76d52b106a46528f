namespace ChemScale.Engine.Chemistry.Selfies;

/// <summary>
/// SMILES to SELFIES and back in one grammar. An instance owns its buffers: use one per thread; a returned span is valid until the
/// next call on the same instance. A refusal is a return value, not an exception: corpora are full of them.
/// </summary>
public abstract class SelfiesCodec
{
    public abstract SelfiesGrammar Grammar { get; }

    /// <summary>Why the last Try call returned false: one line, stable enough to count by. Empty after a success.</summary>
    public string Reason { get; protected set; } = "";

    /// <summary>One SMILES (dots allowed) to SELFIES; false where the Python package of this version refuses.</summary>
    public abstract bool TryEncode(ReadOnlySpan<char> smiles, out ReadOnlySpan<char> selfies);

    /// <summary>One SELFIES to SMILES; false where the Python package of this version refuses.</summary>
    public abstract bool TryDecode(ReadOnlySpan<char> selfies, out ReadOnlySpan<char> smiles);

    public static SelfiesCodec Create(SelfiesGrammar grammar) => grammar switch
    {
        SelfiesGrammar.V1 => new V1.SelfiesV1Codec(),
        SelfiesGrammar.V2 => new V2.SelfiesV2Codec(),
        _ => throw new NotSupportedException(grammar.Name()),
    };
}
