namespace ChemScale.Engine.Chemistry.Selfies.V1;

internal enum TokenKind : byte
{
    Atom,
    BranchOpen,
    BranchClose,
    Ring,

    /// <summary>The opening end of a ring, once its closing end is known: writes nothing.</summary>
    RingOpen,
}

/// <summary>A piece of a SMILES string: an atom, a branch parenthesis or a ring label, with the bond symbol before it.</summary>
internal struct SmilesToken
{
    /// <summary>Slice of the SMILES: the atom or ring label without its bond symbol.</summary>
    public int Start;
    public int Length;

    /// <summary>
    /// Ring label as read; then, for an opening label, its atom; for a closing one, the number of atoms between the ends; for an
    /// opening parenthesis, one less than the number of symbols in the branch.
    /// </summary>
    public int Value;

    public TokenKind Kind;

    /// <summary><c>'\0'</c> where there is none; for a parenthesis, the character after it, as this grammar has it.</summary>
    public char Bond;

    /// <summary>An atom written in lower case that kekulization has made an ordinary one.</summary>
    public bool Capitalized;
}
