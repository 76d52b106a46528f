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

    // Heavy hydrogen is hydrogen: energies do not know masses.
    private static readonly Dictionary<string, int> Numbers = new(
        Enumerable.Range(1, Heaviest).Select(number => KeyValuePair.Create(Symbols[number], number)).Concat([new("D", 1), new("T", 1)]), StringComparer.OrdinalIgnoreCase);

    /// <param name="atomicNumber">1..118.</param>
    public static string Symbol(int atomicNumber) => Symbols[atomicNumber];

    /// <summary>Atomic number of a symbol, in any case (D and T among them), or of a number written out.</summary>
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

/// <summary>
/// Masses of the elements in their usual isotopic mixture, amu: the conventional standard atomic weights of IUPAC (Prohaska et al., Pure
/// Appl. Chem. 94, 573 (2022)). An element without one has the mass number of its longest-lived isotope.
/// </summary>
internal static class AtomicMasses
{
    private static readonly double[] Table =
    [
        0, 1.008, 4.002602,
        6.94, 9.0121831, 10.81, 12.011, 14.007, 15.999, 18.998403162, 20.1797,
        22.98976928, 24.305, 26.9815384, 28.085, 30.973761998, 32.06, 35.45, 39.95,
        39.0983, 40.078, 44.955907, 47.867, 50.9415, 51.9961, 54.938043, 55.845, 58.933194, 58.6934, 63.546, 65.38, 69.723, 72.630,
        74.921595, 78.971, 79.904, 83.798,
        85.4678, 87.62, 88.905838, 91.224, 92.90637, 95.95, 97, 101.07, 102.90549, 106.42, 107.8682, 112.414, 114.818, 118.710, 121.760,
        127.60, 126.90447, 131.293,
        132.90545196, 137.327, 138.90547, 140.116, 140.90766, 144.242, 145, 150.36, 151.964, 157.25, 158.925354, 162.500, 164.930329,
        167.259, 168.934219, 173.045, 174.9668,
        178.486, 180.94788, 183.84, 186.207, 190.23, 192.217, 195.084, 196.966570, 200.592, 204.38, 207.2, 208.98040, 209, 210, 222,
        223, 226, 227, 232.0377, 231.03588, 238.02891, 237, 244, 243, 247, 247, 251, 252, 257, 258, 259, 262,
        267, 268, 269, 270, 269, 277, 281, 282, 285, 286, 290, 290, 293, 294, 294,
    ];

    /// <param name="atomicNumber">1..118.</param>
    public static double Of(int atomicNumber) => atomicNumber is >= 1 and <= Elements.Heaviest
        ? Table[atomicNumber]
        : throw new ArgumentOutOfRangeException(nameof(atomicNumber), atomicNumber, "1..118");

    /// <summary>(atoms) amu.</summary>
    public static double[] Of(ReadOnlySpan<int> atomicNumbers)
    {
        double[] masses = new double[atomicNumbers.Length];
        for (int i = 0; i < masses.Length; i++) masses[i] = Of(atomicNumbers[i]);
        return masses;
    }
}
