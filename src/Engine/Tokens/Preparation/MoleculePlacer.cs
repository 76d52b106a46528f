using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// Finds a molecule's side and place from what is stored of it: its SELFIES, decoded, so that equal stored molecules always fall together. What the
/// grammar or the SMILES reader refuses falls by its text. One per thread.
/// </summary>
internal sealed class MoleculePlacer(SplitRule split, SelfiesCodec codec)
{
    private readonly SmilesReader reader = new();
    private readonly Molecule molecule = new();
    private readonly MoleculeIdentity identity = new();
    private readonly MurckoScaffold scaffold = new();

    public MoleculePlace Place(ReadOnlySpan<char> selfies)
    {
        ulong key = Key(selfies, out bool read);
        if (split.Kind != SplitKind.Scaffold || !read) return new MoleculePlace(key, split.IsValidation(key));
        identity.Perceive(molecule);
        scaffold.Cut(identity.Graph, keepStereo: false);
        return new MoleculePlace(key, split.IsValidation(identity.Graph.AtomCount == 0 ? key : split.Key(identity.KeyOfGraph())));
    }

    /// <summary>The place in the order alone.</summary>
    public ulong Key(ReadOnlySpan<char> selfies, out bool read)
    {
        read = split.Kind != SplitKind.Text && codec.TryDecode(selfies, out ReadOnlySpan<char> smiles) && reader.TryRead(smiles, molecule);
        return read ? split.Key(identity.Key(molecule)) : split.Key(selfies);
    }
}

/// <summary>Where a molecule belongs in a store.</summary>
/// <param name="Key">Its place in the order.</param>
/// <param name="Validation">Whether it is held out.</param>
internal readonly record struct MoleculePlace(ulong Key, bool Validation);
