using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>SMILES, checked and cleaned as the options say, to SELFIES.</summary>
internal sealed class SmilesEncoder(PreparationOptions options, SelfiesGrammar grammar) : IMoleculeEncoder
{
    // The package selfies 1.0.4 makes symbols of anything in brackets and overlooks stray parentheses: a corpus should not.
    private readonly SmilesReader? _reader = grammar == SelfiesGrammar.V1 ? new SmilesReader() : null;
    private readonly Molecule _molecule = new();
    private readonly SmilesFilter _filter = new(!options.KeepStereo, options.Fragments == FragmentRule.Largest);
    private readonly SelfiesCodec _codec = SelfiesCodec.Create(grammar);
    private readonly bool _oneFragment = options.Fragments == FragmentRule.Refuse;

    public string Reason { get; private set; } = "";

    public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> selfies)
    {
        selfies = default;
        if (_oneFragment && molecule.Contains('.')) return Refuse("more than one fragment");
        if (_reader is not null && !_reader.TryRead(molecule, _molecule)) return Refuse(_reader.Reason);
        if (!_filter.TryClean(molecule, out ReadOnlySpan<char> cleaned)) return Refuse(_filter.Reason);
        return _codec.TryEncode(cleaned, out selfies) || Refuse(_codec.Reason);
    }

    private bool Refuse(string reason)
    {
        Reason = reason;
        return false;
    }
}
