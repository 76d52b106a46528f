namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>An atom of the SMILES that a SELFIES derives, in the order of writing.</summary>
internal struct DerivedAtom
{
    public const int None = -1;

    /// <summary>Slice of the symbol table's text.</summary>
    public int TextStart;
    public int TextLength;

    /// <summary>The atom it was derived from, or <see cref="None"/>.</summary>
    public int Previous;

    /// <summary>Bonds it can still make; below zero where the derivation ended on it.</summary>
    public int Free;

    /// <summary>Last atom of the branch that opens before this one, or <see cref="None"/>.</summary>
    public int BranchEnd;

    /// <summary>Branches that end after this atom.</summary>
    public int BranchesClosed;

    /// <summary>Ring ends at this atom, first and last, or <see cref="None"/>: end 2 r + s belongs to ring r.</summary>
    public int FirstRingEnd;
    public int LastRingEnd;

    /// <summary>Symbol of the bond to the previous atom; <c>'\0'</c> where there is none.</summary>
    public char Bond;
}
