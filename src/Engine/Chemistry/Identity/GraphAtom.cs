namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>An atom of a molecular graph.</summary>
internal struct GraphAtom
{
    public int First;
    public byte Degree;
    public byte Element;
    public byte Hydrogens;
    public byte OrderSum;
    public sbyte Charge;
    public Chirality Chirality;
    public bool Aromatic;
    public bool InRing;
    public ushort Isotope;

    public void InvertChirality()
    {
        if (Chirality != Chirality.None) Chirality = Chirality == Chirality.Clockwise ? Chirality.Counterclockwise : Chirality.Clockwise;
    }
}

/// <summary>A bond of a molecular graph.</summary>
internal struct GraphBond
{
    public int Begin;
    public int End;

    /// <summary>1 to 4, in one Kekule structure.</summary>
    public byte Order;
    public bool Aromatic;
    public bool InRing;

    /// <summary>How the reference neighbours of both ends lie.</summary>
    public BondStereo Stereo;

    /// <summary>An atom; -1: the hydrogen, where the end has no other neighbour.</summary>
    public int BeginReference;
    public int EndReference;

    /// <summary>The neighbour by whose bond the side was written; -1 for a hydrogen.</summary>
    public int BeginDirected;
    public int EndDirected;

    public readonly int Other(int atom) => atom == Begin ? End : Begin;
}

/// <summary>One neighbour of an atom, and the bond to it.</summary>
internal struct GraphLink
{
    public int Atom;
    public int Bond;
}

/// <summary>Where the reference neighbours of a double bond lie.</summary>
internal enum BondStereo : byte
{
    None,
    Cis,
    Trans,
}

/// <summary>Hydrogens beside bonds of a sum of orders, by the valences of the element that has as many electrons; none for those without a usual one.</summary>
internal static class ImplicitValence
{
    public static int Hydrogens(int element, int charge, int orderSum)
    {
        foreach (int valence in (element - charge) switch
        {
            5 or 7 => (ReadOnlySpan<int>)[3],
            6 or 14 or 32 => [4],
            8 => [2],
            9 or 17 or 35 => [1],
            15 or 33 => [3, 5, 7],
            16 or 34 or 52 => [2, 4, 6],
            53 => [1, 3, 5],
            _ => [],
        })
        {
            if (valence >= orderSum) return valence - orderSum;
        }
        return 0;
    }
}
