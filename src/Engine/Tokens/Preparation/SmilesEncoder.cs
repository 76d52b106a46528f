using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>SMILES, cleaned as the options say, to SELFIES.</summary>
internal sealed class SmilesEncoder(SelfiesGrammar grammar) : IMoleculeEncoder
{
    private readonly SelfiesCodec _codec = SelfiesCodec.Create(grammar);

    public string Reason { get; private set; } = "";

    public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> selfies)
    {
        bool done = _codec.TryEncode(molecule, out selfies);
        Reason = _codec.Reason;
        return done;
    }
}
