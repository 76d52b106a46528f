using System.Globalization;
using System.Numerics;

namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>
/// Writes a molecule as SMILES, atoms as near to their order as branches allow: every molecule that was read comes back with
/// its atoms in the order read, and what is written, read and written again is the same text. An instance keeps its buffers:
/// use one per thread; a returned span is valid until the next call.
/// </summary>
public sealed class SmilesWriter
{
    private const int Labels = 1000; // 1..999, then 0

    private readonly TextBuffer text = new();
    private readonly SmilesTree tree = new();
    private readonly int[] freeLabels = new int[(Labels + 31) / 32];
    private int[] label = new int[64]; // per ring closure bond that is open: its label + 1
    private (int Bond, int Atom, bool Branch)[] pending = new (int, int, bool)[64];
    private int pendingCount;

    /// <summary>Writes aromatic atoms small (the default), else the Kekule structure.</summary>
    public bool Aromatic { get; init; } = true;

    /// <exception cref="InputException">More than 1,000 rings are open at one place.</exception>
    public ReadOnlySpan<char> Write(Molecule molecule)
    {
        text.Clear();
        tree.Build(molecule);
        if (label.Length < molecule.BondCount) label = new int[2 * molecule.BondCount];
        Array.Clear(label, 0, molecule.BondCount);
        Array.Fill(freeLabels, -1);
        for (int root = 0; root < molecule.AtomCount; root++)
        {
            if (tree.ParentBond(root) >= 0) continue;
            if (text.Length > 0) text.Append('.');
            WriteFragment(molecule, root);
        }
        return text.Text;
    }

    private void WriteFragment(Molecule molecule, int root)
    {
        pendingCount = 0;
        Push(-1, root, false);
        while (pendingCount > 0)
        {
            (int bond, int atom, bool branch) = pending[--pendingCount];
            if (atom < 0)
            {
                text.Append(')');
                continue;
            }
            if (branch) text.Append('(');
            if (bond >= 0) WriteBond(molecule, bond, molecule.Bonds[bond].Other(atom));
            WriteAtom(molecule, atom);
            WriteRings(molecule, atom);
            int first = pendingCount;
            foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
            {
                if (tree.ParentBond(n.Atom) != n.Bond) continue;
                Push(n.Bond, n.Atom, true);
                Push(-1, -1, false); // closes the branch
            }
            if (pendingCount == first) continue;
            pending[--pendingCount - 1].Branch = false; // the last one goes on as the chain
            Array.Reverse(pending, first, pendingCount - first);
        }
    }

    private void WriteRings(Molecule molecule, int atom)
    {
        int closed = 0;
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
        {
            if (tree.IsTreeBond(n.Bond)) continue;
            ref int used = ref label[n.Bond];
            if (used == 0)
            {
                used = TakeLabel() + 1;
                WriteBond(molecule, n.Bond, atom);
            }
            else
            {
                closed++;
            }
            WriteLabel(used - 1);
        }
        if (closed == 0) return;

        // Only now: a label that closes at an atom does not open there again.
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
        {
            if (!tree.IsTreeBond(n.Bond) && tree.Rank(n.Atom) < tree.Rank(atom)) FreeLabel(label[n.Bond] - 1);
        }
    }

    private void WriteLabel(int number)
    {
        if (number >= 100) text.Append("%(");
        else if (number >= 10) text.Append('%');
        text.Append((long)number);
        if (number >= 100) text.Append(')');
    }

    private int TakeLabel()
    {
        for (int word = 0; word < freeLabels.Length; word++)
        {
            if (freeLabels[word] == 0) continue;
            int bit = BitOperations.TrailingZeroCount(freeLabels[word]);
            int place = 32 * word + bit;
            if (place >= Labels) break;
            freeLabels[word] &= ~(1 << bit);
            return (place + 1) % Labels;
        }
        throw new InputException("molecule", "more than 1000 open rings", "at most 1000");
    }

    private void FreeLabel(int number)
    {
        int place = (number + Labels - 1) % Labels;
        freeLabels[place / 32] |= 1 << place % 32;
    }

    private void WriteBond(Molecule molecule, int index, int from)
    {
        ref Bond bond = ref molecule.Bonds[index];
        if (bond.Aromatic && Aromatic && bond.Direction == BondDirection.None) return; // else beside a double bond to the ring
        switch (bond.Order)
        {
            case BondOrder.Double:
                text.Append('=');
                return;
            case BondOrder.Triple:
                text.Append('#');
                return;
            case BondOrder.Quadruple:
                text.Append('$');
                return;
        }
        if (bond.Direction != BondDirection.None) text.Append((bond.Direction == BondDirection.Up) == (from == bond.Begin) ? '/' : '\\');
        else if (Aromatic && molecule.Atoms[bond.Begin].Aromatic && molecule.Atoms[bond.End].Aromatic) text.Append('-');
    }

    private void WriteAtom(Molecule molecule, int index)
    {
        ref Atom atom = ref molecule.Atoms[index];
        bool small = atom.Aromatic && Aromatic;
        Span<char> symbol = stackalloc char[2];
        ReadOnlySpan<char> capital = PeriodicTable.Symbol(atom.Element);
        capital.CopyTo(symbol);
        if (small) symbol[0] = char.ToLower(symbol[0], CultureInfo.InvariantCulture);
        symbol = symbol[..capital.Length];
        if (!NeedsBrackets(molecule, index, small))
        {
            text.Append(symbol);
            return;
        }
        text.Append('[');
        if (atom.Isotope > 0) text.Append((long)atom.Isotope);
        text.Append(symbol);
        if (atom.Chirality != Chirality.None) text.Append(tree.WrittenChirality(molecule, index) == Chirality.Clockwise ? "@@" : "@");
        if (atom.Hydrogens > 0) text.Append('H');
        if (atom.Hydrogens > 1) text.Append((long)atom.Hydrogens);
        if (atom.Charge != 0) text.Append(atom.Charge > 0 ? '+' : '-');
        if (Math.Abs((int)atom.Charge) > 1) text.Append((long)Math.Abs((int)atom.Charge));
        if (atom.Map > 0)
        {
            text.Append(':');
            text.Append((long)atom.Map);
        }
        text.Append(']');
    }

    private static bool NeedsBrackets(Molecule molecule, int index, bool small)
    {
        ref Atom atom = ref molecule.Atoms[index];
        return atom.Isotope > 0 || atom.Chirality != Chirality.None || atom.Charge != 0 || atom.Map > 0
            || !BareAtom.Says(molecule, index, small);
    }

    private void Push(int bond, int atom, bool branch)
    {
        if (pendingCount == pending.Length) Array.Resize(ref pending, 2 * pendingCount);
        pending[pendingCount++] = (bond, atom, branch);
    }
}
