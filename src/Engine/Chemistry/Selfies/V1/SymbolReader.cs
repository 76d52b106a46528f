namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>Reads one symbol, brackets included. Like the reference, it asks for little: "Ring" anywhere inside makes a ring.</summary>
internal static class SymbolReader
{
    /// <summary>An atom's SMILES text is appended to <paramref name="texts"/>.</summary>
    public static Symbol Read(ReadOnlySpan<char> symbol, TextBuffer texts, BondConstraints constraints)
    {
        Symbol read = default;
        read.Digit = (byte)IndexAlphabet.Digit(symbol);
        if (symbol is "[nop]") read.Kind = SymbolKind.Nop;
        else if (symbol.IndexOf("Branch") >= 0) ReadBranch(symbol, ref read);
        else if (symbol.IndexOf("Ring") >= 0) ReadRing(symbol, ref read);
        else if (symbol is "[epsilon]") read.Kind = SymbolKind.Epsilon;
        else ReadAtom(symbol, texts, constraints, ref read);
        return read;
    }

    private static void ReadBranch(ReadOnlySpan<char> symbol, ref Symbol read)
    {
        read.BranchOrder = DigitOf(symbol[^2]);
        read.Digits = DigitOf(symbol[^4]);
        read.Kind = read.BranchOrder is >= 1 and <= 3 ? SymbolKind.Branch : SymbolKind.Unreadable;
    }

    private static void ReadRing(ReadOnlySpan<char> symbol, ref Symbol read)
    {
        read.Kind = SymbolKind.Ring;
        read.Digits = DigitOf(symbol[^2]);
        if (symbol[1..5] is "Expl") read.Bond = symbol[5];
    }

    private static void ReadAtom(ReadOnlySpan<char> symbol, TextBuffer texts, BondConstraints constraints, ref Symbol read)
    {
        if (symbol[1] is '/' or '\\' or '=' or '#') read.Bond = symbol[1];
        int start = read.Bond == '\0' ? 1 : 2;
        int before = texts.Length;
        if (symbol.EndsWith("expl]"))
        {
            texts.Append('[');
            texts.Append(symbol[start..^5]);
            texts.Append(']');
        }
        else texts.Append(symbol[start..^1]);

        ReadOnlySpan<char> text = texts.Text[before..];
        read.Kind = SymbolKind.Unreadable;
        if (!BracketAtom.TryRead(text, out BracketAtom atom)) return;
        int element = Math.Max(PeriodicTable.Number(text[atom.ElementStart..atom.ElementEnd]), 0);
        int capacity = constraints.Of(element, atom.Charge) - atom.Hydrogens;
        if (capacity < 0) return;
        read.Capacity = (sbyte)capacity;
        read.Kind = SymbolKind.Atom;
    }

    private static sbyte DigitOf(char c) => char.IsAsciiDigit(c) ? (sbyte)(c - '0') : Symbol.NoDigit;
}

internal enum SymbolKind : byte
{
    Atom,
    Branch,
    Ring,
    Epsilon,

    /// <summary>Padding: skipped wherever it stands.</summary>
    Nop,

    /// <summary>Refused where it is read as a symbol; harmless where only its digit counts.</summary>
    Unreadable,
}

/// <summary>What a symbol says, whatever the state of the derivation.</summary>
internal struct Symbol
{
    public const sbyte NoDigit = -1;

    /// <summary>Slice of the table's text: the symbol with its brackets.</summary>
    public int KeyStart;
    public int KeyLength;

    /// <summary>Slice of the table's text: an atom as SMILES has it.</summary>
    public int TextStart;
    public int TextLength;

    public SymbolKind Kind;

    /// <summary>Bond symbol of an atom or ring; <c>'\0'</c> where there is none.</summary>
    public char Bond;

    /// <summary>Bonds that an atom may make beside its hydrogens.</summary>
    public sbyte Capacity;

    /// <summary>Largest bond order to a branch, 1 to 3.</summary>
    public sbyte BranchOrder;

    /// <summary>How many symbols after a branch or ring write its number; <see cref="NoDigit"/> where the symbol does not say.</summary>
    public sbyte Digits;

    /// <summary>What the symbol stands for where a number is read, 0 to 15.</summary>
    public byte Digit;
}

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
