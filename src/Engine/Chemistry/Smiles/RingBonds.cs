namespace ChemScale.Engine.Chemistry.Smiles;

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
