namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>Reads one symbol, brackets included. Like the reference, it asks for little: "Ring" anywhere inside makes a ring.</summary>
internal static class SymbolReader
{
    /// <summary>An atom's SMILES text is appended to <paramref name="texts"/>.</summary>
    public static Symbol Read(ReadOnlySpan<char> symbol, TextBuffer texts)
    {
        Symbol read = default;
        read.Digit = (byte)IndexAlphabet.Digit(symbol);
        if (symbol is "[nop]") read.Kind = SymbolKind.Nop;
        else if (symbol.IndexOf("Branch") >= 0) ReadBranch(symbol, ref read);
        else if (symbol.IndexOf("Ring") >= 0) ReadRing(symbol, ref read);
        else if (symbol is "[epsilon]") read.Kind = SymbolKind.Epsilon;
        else ReadAtom(symbol, texts, ref read);
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

    private static void ReadAtom(ReadOnlySpan<char> symbol, TextBuffer texts, ref Symbol read)
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
        int capacity = BondCapacity.Of(text[atom.ElementStart..atom.ElementEnd], atom.Charge) - atom.Hydrogens;
        if (capacity < 0) return;
        read.Capacity = (sbyte)capacity;
        read.Kind = SymbolKind.Atom;
    }

    private static sbyte DigitOf(char c) => char.IsAsciiDigit(c) ? (sbyte)(c - '0') : Symbol.NoDigit;
}
