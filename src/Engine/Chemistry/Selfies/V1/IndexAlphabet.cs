namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>Sixteen symbols that, after a branch or ring symbol, stand for the digits of a number, most significant first.</summary>
internal static class IndexAlphabet
{
    private static readonly string[] Symbols =
    [
        "[C]", "[Ring1]", "[Ring2]", "[Branch1_1]", "[Branch1_2]", "[Branch1_3]", "[Branch2_1]", "[Branch2_2]",
        "[Branch2_3]", "[O]", "[N]", "[=N]", "[=C]", "[#C]", "[S]", "[P]",
    ];

    /// <summary>The digit a symbol stands for; 0 for every symbol outside the alphabet.</summary>
    public static int Digit(ReadOnlySpan<char> symbol)
    {
        for (int i = 0; i < Symbols.Length; i++)
            if (symbol.SequenceEqual(Symbols[i])) return i;
        return 0;
    }

    /// <summary>How many symbols write <paramref name="number"/>, at least one.</summary>
    public static int Length(int number)
    {
        int length = 1;
        while ((number >>= 4) != 0) length++;
        return length;
    }

    public static void Write(int number, int length, TextBuffer text)
    {
        for (int shift = 4 * (length - 1); shift >= 0; shift -= 4) text.Append(Symbols[number >> shift & 15]);
    }
}
