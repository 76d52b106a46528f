namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>Reads a SELFIES symbol that is not known yet.</summary>
internal static class SymbolReader
{
    /// <param name="text">The symbol, brackets included.</param>
    /// <param name="spelling">Takes the SMILES of an atom.</param>
    /// <param name="constraints">How many bonds it may make.</param>
    public static Symbol Read(ReadOnlySpan<char> text, TextBuffer spelling, BondConstraints constraints)
    {
        var symbol = new Symbol { IndexValue = IndexValue(text) };
        if (text.SequenceEqual("[nop]"))
        {
            symbol.Kind = SymbolKind.NoOperation;
            return symbol;
        }
        ReadOnlySpan<char> family = text.Length >= 4 ? text[^4..^2] : text.Length > 2 ? text[..^2] : "";
        symbol.Kind = SymbolKind.Unknown;
        if (family.SequenceEqual("ch")) ReadBranch(text, ref symbol);
        else if (family.SequenceEqual("ng")) ReadRing(text, ref symbol);
        else if (text.IndexOf("eps") >= 0) symbol.Kind = SymbolKind.Epsilon;
        else ReadAtom(text, ref symbol, spelling, constraints);
        return symbol;
    }

    private static byte IndexValue(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < IndexAlphabet.Symbols.Length; i++)
        {
            if (text.SequenceEqual(IndexAlphabet.Symbols[i])) return (byte)i;
        }
        return 0;
    }

    private static void ReadBranch(ReadOnlySpan<char> text, ref Symbol symbol)
    {
        if (!TryReadFamily(text, "Branch", ref symbol, out ReadOnlySpan<char> bond)) return;
        symbol.Order = Order(bond);
        if (symbol.Order > 0) symbol.Kind = SymbolKind.Branch;
    }

    private static void ReadRing(ReadOnlySpan<char> text, ref Symbol symbol)
    {
        if (!TryReadFamily(text, "Ring", ref symbol, out ReadOnlySpan<char> bond)) return;
        if (bond.Length == 2)
        {
            if (bond.IndexOfAnyExcept("-/\\") >= 0 || bond.SequenceEqual("--")) return;
            symbol.Order = 1;
            symbol.LeftStereo = bond[0] == '-' ? '\0' : bond[0];
            symbol.RightStereo = bond[1] == '-' ? '\0' : bond[1];
            symbol.Kind = SymbolKind.Ring;
            return;
        }
        symbol.Order = Order(bond);
        if (symbol.Order > 0) symbol.Kind = SymbolKind.Ring;
    }

    // "[", a bond of at most two characters, the name, a digit of 1..3, "]".
    private static bool TryReadFamily(ReadOnlySpan<char> text, string name, ref Symbol symbol, out ReadOnlySpan<char> bond)
    {
        bond = default;
        int length = text.Length - name.Length - 3;
        if (length is < 0 or > 2 || text[0] != '[' || text[^2] is not (>= '1' and <= '3')) return false;
        if (!text.Slice(1 + length, name.Length).SequenceEqual(name)) return false;
        bond = text.Slice(1, length);
        symbol.Digits = (byte)(text[^2] - '0');
        return true;
    }

    private static byte Order(ReadOnlySpan<char> bond) => bond switch
    {
        "" => 1,
        "=" => 2,
        "#" => 3,
        _ => 0,
    };

    // "[", bond, isotope, element, chirality, H and its digit, sign and digits of 1..9, "]".
    private static void ReadAtom(ReadOnlySpan<char> text, ref Symbol symbol, TextBuffer spelling, BondConstraints constraints)
    {
        if (text.Length < 3 || text[0] != '[') return;
        int end = text.Length - 1;
        int at = 1;
        symbol.Order = 1;
        if (text[at] is '=' or '#' or '/' or '\\')
        {
            if (text[at] is '=' or '#') symbol.Order = Order(text.Slice(at, 1));
            else symbol.LeftStereo = text[at];
            at++;
        }
        int body = at;
        if (!AtomReader.TryReadDigits(text, ref at, out int isotope)) return;
        if (at == body) isotope = -1;
        if (!char.IsAsciiLetterUpper(text[at])) return;
        char first = text[at++];
        char second = char.IsAsciiLetterLower(text[at]) ? text[at++] : '\0';
        int element = PeriodicTable.Number(first, second);
        if (!KnownElements.Contains(element)) return;

        int chirality = 0;
        for (; chirality < 2 && text[at] == '@'; at++) chirality++;
        int hydrogens = 0;
        if (text[at] == 'H')
        {
            if (!char.IsAsciiDigit(text[at + 1])) return;
            hydrogens = text[at + 1] - '0';
            at += 2;
        }
        int charge = 0;
        if (text[at] is '+' or '-')
        {
            int sign = text[at++] == '+' ? 1 : -1;
            int digits = at;
            if (!AtomReader.TryReadDigits(text, ref at, out charge) || at == digits) return;
            if (text[digits..at].Contains('0')) return;
            charge *= sign;
        }
        if (at != end) return;

        int capacity = constraints.Of(element, charge) - hydrogens;
        if (capacity < 0) return;
        symbol.Capacity = (sbyte)capacity;
        symbol.Kind = SymbolKind.Atom;
        if (end - body == PeriodicTable.Symbol(element).Length && Valence.IsOrganic(element))
        {
            spelling.Append(text[body..end]);
            return;
        }
        spelling.Append('[');
        AtomText.Append(spelling, isotope, element, chirality, hydrogens, charge);
        spelling.Append(']');
    }
}

internal enum SymbolKind : byte
{
    Atom,
    Branch,
    Ring,
    Epsilon,
    NoOperation,
    Unknown,
}

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

/// <summary>Reads bracket atoms the way grammar 2.1 does, laxer in places than SMILES and narrower in others.</summary>
internal static class AtomReader
{
    /// <summary>Digits of an isotope or charge beyond which a number is refused.</summary>
    public const int MaximumDigits = 9;

    /// <summary>
    /// Reads what stands between the brackets of an atom, <c>isotope? symbol chirality? hydrogens? charge? class?</c>, into
    /// <paramref name="atom"/>; false if it does not fit.
    /// </summary>
    public static bool TryReadBracket(ReadOnlySpan<char> text, out GraphAtom atom)
    {
        atom = new GraphAtom { FirstEdge = -1, LastEdge = -1, Parent = -1, Isotope = -1 };
        int at = 0;
        if (!TryReadDigits(text, ref at, out int isotope)) return false;
        if (at > 0) atom.Isotope = isotope;

        if (at == text.Length || !char.IsAsciiLetter(text[at])) return false;
        bool small = char.IsAsciiLetterLower(text[at]);
        char first = (char)(text[at++] & ~0x20);
        char second = at < text.Length && char.IsAsciiLetterLower(text[at]) ? text[at++] : '\0';
        int element = PeriodicTable.Number(first, second);
        if (!KnownElements.Contains(element)) return false;
        atom.Element = (byte)element;
        atom.Aromatic = small && Valence.MayBeAromatic(element);

        while (atom.Chirality < 2 && at < text.Length && text[at] == '@')
        {
            atom.Chirality++;
            at++;
        }
        if (at < text.Length && text[at] == 'H')
        {
            at++;
            atom.Hydrogens = 1;
            if (at < text.Length && char.IsAsciiDigit(text[at])) atom.Hydrogens = (sbyte)(text[at++] - '0');
        }
        if (at < text.Length && text[at] is '+' or '-' && !TryReadCharge(text, ref at, out atom.Charge)) return false;
        if (at < text.Length && text[at] == ':')
        {
            int digits = ++at;
            while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            if (at == digits) return false;
        }
        return at == text.Length;
    }

    // "+", "+++" or "+2", and the same with minus.
    private static bool TryReadCharge(ReadOnlySpan<char> text, ref int at, out int charge)
    {
        char sign = text[at++];
        int digits = at;
        if (!TryReadDigits(text, ref at, out charge)) return false;
        if (at == digits)
        {
            charge = 1;
            for (; at < text.Length && text[at] == sign; at++) charge++;
        }
        if (sign == '-') charge = -charge;
        return true;
    }

    public static bool TryReadDigits(ReadOnlySpan<char> text, ref int at, out int number)
    {
        number = 0;
        int significant = 0;
        for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
        {
            number = 10 * number + (text[at] - '0');
            if (number > 0 && ++significant > MaximumDigits) return false;
        }
        return true;
    }
}

/// <summary>How grammar 2.1 spells an atom that has brackets in SMILES; SELFIES and decoded SMILES agree on what is inside them.</summary>
internal static class AtomText
{
    /// <param name="text">What to append to.</param>
    /// <param name="isotope">-1 for none.</param>
    /// <param name="element">Atomic number.</param>
    /// <param name="chirality">0 for none, 1 for @, 2 for @@.</param>
    /// <param name="hydrogens">0..9, always with its number; a bare organic atom says H0, to differ from the one without brackets.</param>
    /// <param name="charge">Always with its number.</param>
    public static void Append(TextBuffer text, long isotope, int element, int chirality, int hydrogens, int charge)
    {
        if (isotope >= 0) text.Append(isotope);
        text.Append(PeriodicTable.Symbol(element));
        for (int i = 0; i < chirality; i++) text.Append('@');
        bool bare = isotope < 0 && chirality == 0 && charge == 0;
        if (hydrogens != 0 || (bare && Valence.IsOrganic(element)))
        {
            text.Append('H');
            text.Append((char)('0' + hydrogens));
        }
        if (charge == 0) return;
        if (charge > 0) text.Append('+');
        text.Append((long)charge);
    }
}

/// <summary>What one SELFIES symbol means in grammar 2.1.</summary>
internal struct Symbol
{
    public SymbolKind Kind;
    public byte Order; // bond order of an atom or ring, type of a branch
    public byte Digits; // how many index symbols follow a branch or ring
    public byte IndexValue; // as an index symbol; 0 for all but fifteen
    public sbyte Capacity; // of an atom, hydrogens taken off
    public char LeftStereo; // of an atom's bond too
    public char RightStereo;
    public int TextStart; // of the atom in SMILES, in the table's texts
    public int TextLength;
    public int KeyStart;
    public int KeyLength;
}
