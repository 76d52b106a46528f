using System.Globalization;

namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>Ring labels met once so far, with what stood beside them.</summary>
internal sealed class OpenRings
{
    private const int Labels = 1000;

    private readonly OpenRing[] rings = new OpenRing[Labels];

    public int Count { get; private set; }

    public void Clear()
    {
        if (Count > 0) Array.Clear(rings);
        Count = 0;
    }

    /// <summary>Reads one digit, % and two digits, or %(...) with one to three.</summary>
    public static bool TryReadLabel(ReadOnlySpan<char> smiles, ref int at, out int label)
    {
        label = 0;
        if (smiles[at] != '%')
        {
            label = smiles[at++] - '0';
            return true;
        }
        ReadOnlySpan<char> rest = smiles[(at + 1)..];
        if (rest.Length > 1 && rest[0] == '(')
        {
            int close = rest[..Math.Min(rest.Length, 5)].IndexOf(')');
            if (close < 2 || !int.TryParse(rest[1..close], NumberStyles.None, CultureInfo.InvariantCulture, out label)) return false;
            at += close + 2;
            return true;
        }
        if (rest.Length < 2 || !char.IsAsciiDigit(rest[0]) || !char.IsAsciiDigit(rest[1])) return false;
        label = 10 * (rest[0] - '0') + rest[1] - '0';
        at += 3;
        return true;
    }

    /// <summary>Opens a ring at a label's first appearance, and adds the bond at its second.</summary>
    /// <returns>Null, or what is wrong.</returns>
    public string? Meet(Molecule molecule, int label, int atom, char symbol, int position)
    {
        ref OpenRing ring = ref rings[label];
        if (!ring.Open)
        {
            ring = new OpenRing { Open = true, Atom = atom, Link = molecule.Reserve(atom), Symbol = symbol, Position = position };
            Count++;
            return null;
        }
        ring.Open = false;
        Count--;
        if (ring.Atom == atom) return "ring of one atom";
        foreach (Molecule.Neighbor n in molecule.Neighbors(molecule.Degree(atom) < molecule.Degree(ring.Atom) ? atom : ring.Atom))
        {
            if (n.Atom == atom || n.Atom == ring.Atom) return "ring bond between bonded atoms";
        }

        // A direction is meant from the atom that stands before it: the closing atom looks the other way.
        char closing = BondSymbol.Reversed(symbol);
        if (ring.Symbol != '\0' && closing != '\0' && ring.Symbol != closing) return "ring bonds differ";
        char agreed = ring.Symbol != '\0' ? ring.Symbol : closing;
        if (!BondSymbol.TryRead(molecule, ring.Atom, atom, agreed, out Bond bond)) return BondSymbol.NotAromatic;
        bond.RingClosure = true;
        molecule.AddBond(bond, ring.Link);
        return null;
    }

    /// <summary>The label that has been open longest.</summary>
    public (int Label, int Position) First()
    {
        int first = -1;
        for (int label = 0; label < Labels; label++)
        {
            if (rings[label].Open && (first < 0 || rings[label].Position < rings[first].Position)) first = label;
        }
        return (first, rings[first].Position);
    }

    private struct OpenRing
    {
        public bool Open;
        public int Atom;
        public int Link;
        public char Symbol;
        public int Position;
    }
}

/// <summary>The reasons that name a ring label, made once.</summary>
internal static class UnclosedRing
{
    private static readonly string?[] Reasons = new string?[1000];

    public static string Reason(int label) => Reasons[label] ??= $"unclosed ring {label}";
}

/// <summary>
/// Which bonds lie on a ring. The bonds written without ring labels are a forest in which an atom's parent has a lower
/// number; each ring closure adds the path between its ends, and a path once found is skipped ever after.
/// </summary>
internal sealed class RingBonds
{
    private bool[] onRing = new bool[64];
    private int[] parent = new int[64];
    private int[] parentBond = new int[64];
    private int[] top = new int[64]; // the highest atom reached through bonds known to be on a ring

    public bool Contains(int bond) => onRing[bond];

    public void Find(Molecule molecule)
    {
        if (onRing.Length < molecule.BondCount) onRing = new bool[2 * molecule.BondCount];
        if (parent.Length < molecule.AtomCount)
        {
            parent = new int[2 * molecule.AtomCount];
            parentBond = new int[parent.Length];
            top = new int[parent.Length];
        }
        Array.Clear(onRing, 0, molecule.BondCount);
        for (int a = 0; a < molecule.AtomCount; a++)
        {
            parent[a] = -1;
            top[a] = a;
        }
        Span<Bond> bonds = molecule.Bonds;
        for (int b = 0; b < bonds.Length; b++)
        {
            if (bonds[b].RingClosure) continue;
            parent[bonds[b].End] = bonds[b].Begin;
            parentBond[bonds[b].End] = b;
        }
        for (int b = 0; b < bonds.Length; b++)
        {
            if (!bonds[b].RingClosure) continue;
            onRing[b] = true;
            int low = Top(bonds[b].Begin);
            int high = Top(bonds[b].End);
            while (low != high)
            {
                if (low > high) (low, high) = (high, low);
                if (parent[high] < 0) break; // the closure joins two fragments
                onRing[parentBond[high]] = true;
                top[high] = parent[high];
                high = Top(high);
            }
        }
    }

    private int Top(int atom)
    {
        while (top[atom] != atom)
        {
            top[atom] = top[top[atom]];
            atom = top[atom];
        }
        return atom;
    }
}
