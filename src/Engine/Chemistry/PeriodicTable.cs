namespace ChemScale.Engine.Chemistry;

/// <summary>Element symbols by atomic number and back, without strings in the way. Number 0 is the wildcard atom <c>*</c>.</summary>
internal static class PeriodicTable
{
    public const int Count = 119;

    private static readonly string[] Symbols =
    (
        "* H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb " +
        "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg " +
        "Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
    ).Split(' ');

    // Row: capital letter; column: 0 for no second letter, else 1 + small letter.
    private static readonly byte[] Numbers = Index();

    /// <param name="atomicNumber">0..118.</param>
    public static string Symbol(int atomicNumber) => Symbols[atomicNumber];

    /// <summary>The atomic number of a symbol of one or two letters; -1 if unknown.</summary>
    /// <param name="first">The capital.</param>
    /// <param name="second">The small letter, or '\0'.</param>
    public static int Number(char first, char second)
    {
        int row = first - 'A';
        int column = second == '\0' ? 0 : second - 'a' + 1;
        if ((uint)row >= 26 || (uint)column >= 27) return -1;
        int number = Numbers[row * 27 + column];
        return number == 0 ? -1 : number;
    }

    /// <summary>The atomic number of a symbol such as <c>Br</c>; -1 if unknown.</summary>
    public static int Number(ReadOnlySpan<char> symbol) => symbol.Length switch
    {
        1 => Number(symbol[0], '\0'),
        2 => Number(symbol[0], symbol[1]),
        _ => -1,
    };

    private static byte[] Index()
    {
        byte[] numbers = new byte[26 * 27];
        for (int n = 1; n < Count; n++)
        {
            string symbol = Symbols[n];
            numbers[(symbol[0] - 'A') * 27 + (symbol.Length == 1 ? 0 : symbol[1] - 'a' + 1)] = (byte)n;
        }
        return numbers;
    }
}
