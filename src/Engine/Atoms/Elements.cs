namespace ChemScale.Engine.Atoms;

/// <summary>Element symbols by atomic number and back.</summary>
public static class Elements
{
    /// <summary>The heaviest element there is a symbol for.</summary>
    public const int Heaviest = 118;

    private static readonly string[] Symbols =
    (
        "X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb " +
        "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg " +
        "Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
    ).Split(' ');

    private static readonly Dictionary<string, int> Numbers =
        Enumerable.Range(1, Heaviest).ToDictionary(number => Symbols[number], StringComparer.OrdinalIgnoreCase);

    /// <param name="atomicNumber">1..118.</param>
    public static string Symbol(int atomicNumber) => Symbols[atomicNumber];

    /// <summary>Atomic number of a symbol, in any case, or of a number written out.</summary>
    /// <exception cref="InputException">No element.</exception>
    public static int Number(ReadOnlySpan<char> symbol, string place)
    {
        if (Numbers.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(symbol, out int number)) return number;
        if (int.TryParse(symbol, out number) && number is >= 1 and <= Heaviest) return number;
        throw new InputException(place, $"unknown element '{symbol}'", "a symbol from H to Og");
    }

    /// <exception cref="InputException">No atomic number.</exception>
    public static int Checked(long atomicNumber, string place) => atomicNumber is >= 1 and <= Heaviest
        ? (int)atomicNumber
        : throw new InputException(place, $"unknown element {atomicNumber}", $"atomic numbers from 1 to {Heaviest}");
}
