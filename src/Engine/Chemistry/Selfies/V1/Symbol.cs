namespace ChemScale.Engine.Chemistry.Selfies.V1;

internal enum SymbolKind : byte
{
    Atom,
    Branch,
    Ring,
    Epsilon,

    /// <summary>Padding: skipped wherever it stands.</summary>
    Nop,

    /// <summary>Refused where it is read as a symbol; harmless where only its digit counts.</summary>
    Unreadable,
}

/// <summary>What a symbol says, whatever the state of the derivation.</summary>
internal struct Symbol
{
    public const sbyte NoDigit = -1;

    /// <summary>Slice of the table's text: the symbol with its brackets.</summary>
    public int KeyStart;
    public int KeyLength;

    /// <summary>Slice of the table's text: an atom as SMILES has it.</summary>
    public int TextStart;
    public int TextLength;

    public SymbolKind Kind;

    /// <summary>Bond symbol of an atom or ring; <c>'\0'</c> where there is none.</summary>
    public char Bond;

    /// <summary>Bonds that an atom may make beside its hydrogens.</summary>
    public sbyte Capacity;

    /// <summary>Largest bond order to a branch, 1 to 3.</summary>
    public sbyte BranchOrder;

    /// <summary>How many symbols after a branch or ring write its number; <see cref="NoDigit"/> where the symbol does not say.</summary>
    public sbyte Digits;

    /// <summary>What the symbol stands for where a number is read, 0 to 15.</summary>
    public byte Digit;
}
