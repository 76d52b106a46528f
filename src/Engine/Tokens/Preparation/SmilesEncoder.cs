using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>SMILES, cleaned as the options say, to SELFIES.</summary>
internal sealed class SmilesEncoder(PreparationOptions options, SelfiesGrammar grammar) : IMoleculeEncoder
{
    private readonly SmilesFilter _filter = new(!options.KeepStereo, options.Fragments == FragmentRule.Largest);
    private readonly SelfiesCodec _codec = SelfiesCodec.Create(grammar);
    private readonly bool _oneFragment = options.Fragments == FragmentRule.Refuse;

    public string Reason { get; private set; } = "";

    public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> selfies)
    {
        selfies = default;
        if (_oneFragment && molecule.Contains('.'))
        {
            Reason = "more than one fragment";
            return false;
        }
        if (!_filter.TryClean(molecule, out ReadOnlySpan<char> cleaned))
        {
            Reason = _filter.Reason;
            return false;
        }
        bool done = _codec.TryEncode(cleaned, out selfies);
        Reason = _codec.Reason;
        return done;
    }
}
