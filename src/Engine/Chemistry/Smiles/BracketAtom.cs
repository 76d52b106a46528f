namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>Reads an atom in brackets: <c>[isotope? symbol chirality? hydrogens? charge? map?]</c>.</summary>
internal ref struct BracketAtom(ReadOnlySpan<char> smiles, int start)
{
    private readonly ReadOnlySpan<char> smiles = smiles;

    /// <summary>Where reading stands: behind the bracket after a success, at the culprit after a failure.</summary>
    public int Position { get; private set; } = start;

    /// <summary>Where the first @ stands; -1 if there is none.</summary>
    public int ChiralityStart { get; private set; } = -1;

    /// <summary>Behind the last character that says chirality.</summary>
    public int ChiralityEnd { get; private set; } = -1;

    /// <summary>Null, or what is wrong.</summary>
    public string? Read(out Atom atom)
    {
        atom = default;
        Position++;
        if (!TryReadNumber(ushort.MaxValue, out int isotope)) return "isotope too large";
        atom.Isotope = (ushort)isotope;
        if (!TryReadSymbol(ref atom)) return "unknown element";
        if (Peek() == '@')
        {
            ChiralityStart = Position;
            if (!TryReadChirality(out atom.Chirality)) return "unsupported chirality class";
            ChiralityEnd = Position;
        }
        if (Peek() == 'H')
        {
            Position++;
            atom.Hydrogens = char.IsAsciiDigit(Peek()) ? (byte)(Next() - '0') : (byte)1;
        }
        if (Peek() is '+' or '-' && !TryReadCharge(out atom.Charge)) return "charge too large";
        if (Peek() == ':')
        {
            Position++;
            if (!char.IsAsciiDigit(Peek())) return "atom map without number";
            if (!TryReadNumber(999_999_999, out atom.Map)) return "atom map too large";
        }
        if (Peek() == ']')
        {
            Position++;
            return null;
        }
        return Position >= smiles.Length ? "unclosed bracket" : "unexpected character in brackets";
    }

    private readonly char Peek() => Position < smiles.Length ? smiles[Position] : '\0';

    private char Next() => smiles[Position++];

    private bool TryReadNumber(int maximum, out int number)
    {
        long read = 0;
        while (char.IsAsciiDigit(Peek()) && read <= maximum) read = 10 * read + (Next() - '0');
        number = (int)Math.Min(read, int.MaxValue);
        return read <= maximum;
    }

    private bool TryReadSymbol(ref Atom atom)
    {
        char first = Peek();
        char second = Position + 1 < smiles.Length ? smiles[Position + 1] : '\0';
        if (first == '*')
        {
            Position++;
            return true;
        }
        int element;
        int length = char.IsAsciiLetterLower(second) ? 2 : 1;
        if (char.IsAsciiLetterLower(first))
        {
            atom.Aromatic = true;
            element = PeriodicTable.Number((char)(first & ~0x20), length == 2 ? second : '\0');
            if (element < 0 || !Valence.MayBeAromatic(element)) return false;
        }
        else
        {
            element = PeriodicTable.Number(first, length == 2 ? second : '\0');
            if (element < 0) return false;
        }
        atom.Element = (byte)element;
        Position += length;
        return true;
    }

    // @, @@, or the classes of two or four neighbours that mean the same: @TH1, @TH2, @AL1, @AL2.
    private bool TryReadChirality(out Chirality chirality)
    {
        Position++;
        chirality = Chirality.Counterclockwise;
        if (Peek() == '@')
        {
            Position++;
            chirality = Chirality.Clockwise;
            return true;
        }
        ReadOnlySpan<char> rest = smiles[Position..];
        if (rest.StartsWith("TH") || rest.StartsWith("AL"))
        {
            if (rest.Length < 3 || rest[2] is not ('1' or '2')) return false;
            chirality = rest[2] == '1' ? Chirality.Counterclockwise : Chirality.Clockwise;
            Position += 3;
        }
        else if (rest.StartsWith("SP") || rest.StartsWith("TB") || rest.StartsWith("OH"))
        {
            return false;
        }
        return true;
    }

    // "+", "++", "+2", and the same with minus.
    private bool TryReadCharge(out sbyte charge)
    {
        char sign = Next();
        int size = 1;
        if (char.IsAsciiDigit(Peek()))
        {
            if (!TryReadNumber(99, out size))
            {
                charge = 0;
                return false;
            }
        }
        else
        {
            while (Peek() == sign && size <= 99)
            {
                Position++;
                size++;
            }
        }
        charge = (sbyte)(sign == '+' ? Math.Min(size, 100) : -Math.Min(size, 100));
        return size <= 99;
    }
}

/// <summary>Whether a symbol without brackets says all there is to say of an atom's hydrogens and double bonds.</summary>
internal static class BareAtom
{
    /// <param name="molecule">Its bonds decide.</param>
    /// <param name="index">An atom without isotope, charge, map number or handedness.</param>
    /// <param name="small">Whether it is to be written small.</param>
    public static bool Says(Molecule molecule, int index, bool small)
    {
        ref Atom atom = ref molecule.Atoms[index];
        if (atom.Element == 0) return !small && atom.Hydrogens == 0;
        if (!Valence.IsOrganic(atom.Element)) return false;
        if (Valence.ImpliedHydrogens(atom.Element, molecule.OrderSum(index)) != atom.Hydrogens) return false;
        if (!small) return true;
        if (AtomLetters.Aromatic(char.ToLowerInvariant(PeriodicTable.Symbol(atom.Element)[0])) != atom.Element) return false;

        // A small bare atom takes a double bond wherever its valence has room for one: [nH] must keep its brackets.
        int used = 0;
        bool hasAromatic = false;
        bool hasDouble = false;
        foreach (Molecule.Neighbor n in molecule.Neighbors(index))
        {
            ref Bond bond = ref molecule.Bonds[n.Bond];
            used += bond.Aromatic ? 1 : (int)bond.Order;
            hasAromatic |= bond.Aromatic;
            hasDouble |= bond.Aromatic && bond.Order == BondOrder.Double;
        }
        return !hasAromatic || hasDouble == Valence.NeedsDoubleBond(atom.Element, used);
    }
}

/// <summary>Atoms of one letter that need no brackets.</summary>
internal static class AtomLetters
{
    /// <summary>The atomic number of a capital letter; -1 if it is none.</summary>
    public static int Organic(char letter) => letter switch
    {
        'C' => 6,
        'N' => 7,
        'O' => 8,
        'F' => 9,
        'S' => 16,
        'P' => 15,
        'I' => 53,
        'B' => 5,
        _ => -1,
    };

    /// <summary>The atomic number of a small letter; -1 if it is none.</summary>
    public static int Aromatic(char letter) => letter switch
    {
        'c' => 6,
        'n' => 7,
        'o' => 8,
        's' => 16,
        'p' => 15,
        'b' => 5,
        _ => -1,
    };
}
