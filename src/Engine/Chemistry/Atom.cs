namespace ChemScale.Engine.Chemistry;

/// <summary>
/// Handedness of an atom: seen from its first neighbour, the others run this way. Neighbours count in the order of
/// <see cref="Molecule.Neighbors"/>; a hydrogen (or lone pair) that is no atom of the molecule counts before all of them.
/// </summary>
public enum Chirality : byte
{
    None,

    /// <summary>@ in SMILES.</summary>
    Counterclockwise,

    /// <summary>@@ in SMILES.</summary>
    Clockwise,
}

/// <summary>One atom of a <see cref="Molecule"/>.</summary>
public struct Atom
{
    /// <summary>Atomic number; 0 is the wildcard atom.</summary>
    public byte Element;

    /// <summary>Hydrogens bonded to this atom that are not atoms of the molecule.</summary>
    public byte Hydrogens;

    /// <summary>Charge in units of the elementary charge.</summary>
    public sbyte Charge;

    public Chirality Chirality;

    /// <summary>Written small in SMILES.</summary>
    public bool Aromatic;

    /// <summary>Mass number; 0: not stated.</summary>
    public ushort Isotope;

    /// <summary>Atom map number; 0: none.</summary>
    public int Map;

    /// <summary>Turns the handedness round, where there is one.</summary>
    public void InvertChirality()
    {
        if (Chirality != Chirality.None) Chirality = Chirality == Chirality.Clockwise ? Chirality.Counterclockwise : Chirality.Clockwise;
    }
}
