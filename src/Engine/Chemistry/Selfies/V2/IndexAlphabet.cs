namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>The sixteen symbols that stand for the digits of branch lengths and ring sizes, most significant digit first.</summary>
internal static class IndexAlphabet
{
    public static readonly string[] Symbols =
    [
        "[C]", "[Ring1]", "[Ring2]", "[Branch1]", "[=Branch1]", "[#Branch1]", "[Branch2]", "[=Branch2]", "[#Branch2]",
        "[O]", "[N]", "[=N]", "[=C]", "[#C]", "[S]", "[P]",
    ];

    /// <summary>Digits that <paramref name="number"/> (not negative) takes; 1 for 0.</summary>
    public static int Digits(int number)
    {
        int digits = 1;
        while ((number >>= 4) != 0) digits++;
        return digits;
    }

    public static void Append(TextBuffer text, int number, int digits)
    {
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) text.Append(Symbols[number >> shift & 15]);
    }
}
