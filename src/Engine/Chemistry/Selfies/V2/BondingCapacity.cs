namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// How many bonds an atom may form under the default constraints of grammar 2.1, before its explicit hydrogens are taken off: listed
/// elements neutral or singly charged, 8 for everything else.
/// </summary>
internal static class BondingCapacity
{
    public const int Unlisted = 8;

    // Three entries an element: charge -1, 0, +1.
    private static readonly byte[] Listed = Table();

    public static int Of(int atomicNumber, long charge) => charge is < -1 or > 1 ? Unlisted : Listed[atomicNumber * 3 + (int)charge + 1];

    /// <summary>Elements the grammar knows: all but the last four named, nihonium, moscovium, tennessine and oganesson.</summary>
    public static bool Knows(int atomicNumber) => atomicNumber is > 0 and not (113 or 115 or 117 or 118);

    private static byte[] Table()
    {
        byte[] table = new byte[PeriodicTable.Count * 3];
        Array.Fill(table, (byte)Unlisted);
        foreach (string monovalent in (string[])["H", "F", "Cl", "Br", "I"]) table[PeriodicTable.Number(monovalent) * 3 + 1] = 1;
        Set("B", 4, 3, 2);
        Set("C", 3, 4, 5);
        Set("N", 2, 3, 4);
        Set("O", 1, 2, 3);
        Set("P", 4, 5, 6);
        Set("S", 5, 6, 7);
        return table;

        void Set(string symbol, byte anion, byte neutral, byte cation)
        {
            int at = PeriodicTable.Number(symbol) * 3;
            (table[at], table[at + 1], table[at + 2]) = (anion, neutral, cation);
        }
    }
}
