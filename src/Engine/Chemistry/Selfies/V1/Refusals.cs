namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>Why a SMILES or SELFIES is refused; few and fixed, so that they can be counted by.</summary>
internal static class Refusals
{
    public const string Wildcard = "wildcard atom '*'";
    public const string UnclosedBracket = "bracket atom without ']'";
    public const string Chirality = "chirality other than @ and @@";
    public const string UnknownCharacter = "unknown character";
    public const string DanglingBond = "bond symbol at the end";
    public const string RingLabel = "ring label that is not a number";
    public const string OpenRing = "ring opened and not closed in the same fragment";
    public const string BackwardRing = "ring that does not close on a later atom of its chain";
    public const string EarlyRing = "ring label before the first atom";
    public const string EmptyBranch = "empty branch";
    public const string AromaticSymbol = "aromatic symbol not recognized";
    public const string Kekulization = "no Kekule structure found";
    public const string Depth = "nested too deeply";
    public const string Brackets = "misplaced or missing bracket";
    public const string Symbol = "symbol that cannot be read";
    public const string Hydrogens = "more hydrogens than the atom has bonds";
}
