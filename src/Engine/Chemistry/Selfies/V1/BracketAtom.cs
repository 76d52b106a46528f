namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// A SMILES atom as this grammar reads it, bracketed or not. Reading is shallow on purpose: any one or two characters serve as the
/// element, and what follows the charge is not looked at.
/// </summary>
internal readonly struct BracketAtom
{
    private const int SaturatedCharge = 1_000_000;

    private BracketAtom(int start, int end, int hydrogens, int charge)
    {
        ElementStart = start;
        ElementEnd = end;
        Hydrogens = hydrogens;
        Charge = charge;
    }

    /// <summary>The element is the slice from here to <see cref="ElementEnd"/> of the text that was read.</summary>
    public int ElementStart { get; }

    public int ElementEnd { get; }

    /// <summary>Explicit hydrogens, 0 to 9; at most one digit is read.</summary>
    public int Hydrogens { get; }

    public int Charge { get; }

    /// <summary>Where the element starts and ends; false where the text ends before one can be told.</summary>
    public static bool TryFindElement(ReadOnlySpan<char> text, out int start, out int end)
    {
        start = 0;
        end = text.Length;
        if (text.IsEmpty) return false;
        if (text[0] != '[') return true;
        start = 1;
        while (start < text.Length && char.IsAsciiDigit(text[start])) start++;
        if (start + 1 >= text.Length) return false;
        end = text[start + 1] != 'H' && char.IsLetter(text[start + 1]) ? start + 2 : start + 1;
        return true;
    }

    /// <summary>Reads isotope, element, chirality mark, hydrogens and charge; false where the text ends too early.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out BracketAtom atom)
    {
        atom = default;
        if (!TryFindElement(text, out int start, out int end)) return false;
        if (text[0] != '[')
        {
            atom = new BracketAtom(start, end, 0, 0);
            return true;
        }
        int i = end;
        if (At(text, i) == '@') i++;
        if (At(text, i) == '@') i++;

        int hydrogens = 0;
        if (At(text, i) == 'H')
        {
            hydrogens = 1;
            i++;
            if (char.IsAsciiDigit(At(text, i))) hydrogens = text[i++] - '0';
        }
        int charge = At(text, i) switch { '+' => 1, '-' => -1, _ => 0 };
        if (charge != 0) i = ReadCharge(text, i + 1, ref charge);
        atom = new BracketAtom(start, end, hydrogens, charge);
        return i < text.Length;
    }

    private static int ReadCharge(ReadOnlySpan<char> text, int i, ref int charge)
    {
        if (At(text, i) is '+' or '-')
        {
            for (; At(text, i) is '+' or '-'; i++) charge += text[i] == '+' ? 1 : -1;
        }
        else if (char.IsAsciiDigit(At(text, i)))
        {
            int size = 0;
            for (; char.IsAsciiDigit(At(text, i)); i++) size = Math.Min(SaturatedCharge, 10 * size + text[i] - '0');
            charge *= size;
        }
        return i;
    }

    private static char At(ReadOnlySpan<char> text, int i) => i < text.Length ? text[i] : '\0';
}
