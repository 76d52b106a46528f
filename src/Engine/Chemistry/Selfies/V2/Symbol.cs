namespace ChemScale.Engine.Chemistry.Selfies.V2;

internal enum SymbolKind : byte
{
    Atom,
    Branch,
    Ring,
    Epsilon,
    NoOperation,
    Unknown,
}

/// <summary>What one SELFIES symbol means in grammar 2.1.</summary>
internal struct Symbol
{
    public SymbolKind Kind;
    public byte Order; // bond order of an atom or ring, type of a branch
    public byte Digits; // how many index symbols follow a branch or ring
    public byte IndexValue; // as an index symbol; 0 for all but fifteen
    public sbyte Capacity; // of an atom, hydrogens taken off
    public char LeftStereo; // of an atom's bond too
    public char RightStereo;
    public int TextStart; // of the atom in SMILES, in the table's texts
    public int TextLength;
    public int KeyStart;
    public int KeyLength;
}
