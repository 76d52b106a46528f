namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>What a bond's symbol, or its absence, says.</summary>
internal static class BondSymbol
{
    public const string NotAromatic = "aromatic bond between atoms that are not";

    /// <param name="molecule">Holds both atoms.</param>
    /// <param name="begin">The atom written first.</param>
    /// <param name="end">The other one.</param>
    /// <param name="symbol">'\0' for none.</param>
    /// <param name="bond">Aromatic, until rings are known, wherever it may be.</param>
    /// <returns>False for <see cref="NotAromatic"/>.</returns>
    public static bool TryRead(Molecule molecule, int begin, int end, char symbol, out Bond bond)
    {
        bool aromatic = molecule.Atoms[begin].Aromatic && molecule.Atoms[end].Aromatic;
        bond = new Bond
        {
            Begin = begin,
            End = end,
            Order = symbol switch
            {
                '=' => BondOrder.Double,
                '#' => BondOrder.Triple,
                '$' => BondOrder.Quadruple,
                _ => BondOrder.Single,
            },
            Direction = symbol switch
            {
                '/' => BondDirection.Up,
                '\\' => BondDirection.Down,
                _ => BondDirection.None,
            },
            Aromatic = aromatic && symbol is '\0' or ':',
        };
        return aromatic || symbol != ':';
    }

    /// <summary>The symbol as it reads from the bond's other end.</summary>
    public static char Reversed(char symbol) => symbol switch
    {
        '/' => '\\',
        '\\' => '/',
        _ => symbol,
    };
}
