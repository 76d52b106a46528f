using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// Finds a molecule's side and place from what is stored of it: its SELFIES, decoded, or its SMILES, so that equal stored molecules always fall together,
/// whatever they are written in. What the grammar or the SMILES reader refuses falls by its text. One per thread.
/// </summary>
/// <param name="split">The rule.</param>
/// <param name="codec">Of the SELFIES that are stored; null: SMILES are.</param>
internal sealed class MoleculePlacer(SplitRule split, SelfiesCodec? codec)
{
    private readonly SmilesReader reader = new();
    private readonly Molecule molecule = new();
    private readonly MoleculeIdentity identity = new();
    private readonly MurckoScaffold scaffold = new();

    public MoleculePlace Place(ReadOnlySpan<char> stored)
    {
        ulong key = Key(stored, out bool read);
        if (split.Kind != SplitKind.Scaffold || !read) return new MoleculePlace(key, split.IsValidation(key));
        identity.Perceive(molecule);
        scaffold.Cut(identity.Graph, keepStereo: false);
        return new MoleculePlace(key, split.IsValidation(identity.Graph.AtomCount == 0 ? key : split.Key(identity.KeyOfGraph())));
    }

    /// <summary>The place in the order alone.</summary>
    public ulong Key(ReadOnlySpan<char> stored, out bool read)
    {
        ReadOnlySpan<char> smiles = stored;
        read = split.Kind != SplitKind.Text && (codec is null || codec.TryDecode(stored, out smiles)) && reader.TryRead(smiles, molecule);
        return read ? split.Key(identity.Key(molecule)) : split.Key(stored);
    }
}

/// <summary>Where a molecule belongs in a store.</summary>
/// <param name="Key">Its place in the order.</param>
/// <param name="Validation">Whether it is held out.</param>
internal readonly record struct MoleculePlace(ulong Key, bool Validation);
