namespace ChemScale.Engine.Chemistry;

/// <summary>The valence rules of SMILES (OpenSMILES 3.1.5 and 3.5), with the aromatic elements beyond it that tool kits write.</summary>
internal static class Valence
{
    /// <summary>Whether an element may be written without brackets: B C N O P S F Cl Br I.</summary>
    public static bool IsOrganic(int element) => element is 5 or 6 or 7 or 8 or 9 or 15 or 16 or 17 or 35 or 53;

    /// <summary>Whether an element may be written small: B C N O Al Si P S As Se Te.</summary>
    public static bool MayBeAromatic(int element) => element is 5 or 6 or 7 or 8 or 13 or 14 or 15 or 16 or 33 or 34 or 52;

    /// <summary>Hydrogens implied beside bonds of this order sum, for an element that needs no brackets.</summary>
    public static int ImpliedHydrogens(int element, int orderSum)
    {
        (int first, int second, int third) = element switch
        {
            5 => (3, 3, 3),
            6 => (4, 4, 4),
            7 or 15 => (3, 5, 5),
            8 => (2, 2, 2),
            16 => (2, 4, 6),
            _ => (1, 1, 1),
        };
        if (orderSum <= first) return first - orderSum;
        if (orderSum <= second) return second - orderSum;
        return orderSum <= third ? third - orderSum : 0;
    }

    /// <summary>Whether a small atom without brackets needs a double bond among its aromatic bonds.</summary>
    /// <param name="element">One that may be aromatic.</param>
    /// <param name="used">Sum of its bond orders, aromatic ones counted as single.</param>
    public static bool NeedsDoubleBond(int element, int used)
    {
        (int lower, int upper) = AromaticValences(element);
        return used != lower && used != upper;
    }

    /// <summary>The same for a small atom in brackets, whose hydrogens and charge are known.</summary>
    public static bool NeedsDoubleBond(int element, int used, int hydrogens, int charge)
    {
        int free = AromaticValences(element).Upper - charge - used - hydrogens;
        return free >= 0 && free % 2 != 0;
    }

    private static (int Lower, int Upper) AromaticValences(int element) => element switch
    {
        5 or 13 => (3, 3),
        6 or 14 => (4, 4),
        7 or 15 or 33 => (3, 5),
        _ => (2, 4),
    };
}
