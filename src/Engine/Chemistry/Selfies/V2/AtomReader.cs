namespace ChemScale.Engine.Chemistry.Selfies.V2;

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
        if (!BondingCapacity.Knows(element)) return false;
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
