namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>An atom as grammar 2.1 sees it. Orders are counted in halves, so that an aromatic bond is the whole number 3.</summary>
internal struct GraphAtom
{
    public int FirstEdge;
    public int LastEdge;
    public int Parent;
    public int HalfBonds;
    public int RingBonds;
    public int Charge;
    public long Isotope; // -1: none written
    public byte Element;
    public sbyte Hydrogens; // -1: implicit, no bracket
    public byte Chirality; // 0, 1 for @, 2 for @@
    public bool Aromatic;
}
