namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>
/// Places the double bonds of aromatic rings: a perfect matching of the atoms that need one, by augmenting paths with blossoms
/// (Edmonds 1965, doi 10.4153/CJM-1965-045-4), so that one is found wherever one exists.
/// </summary>
internal sealed class KekuleStructure
{
    private bool[] needs = new bool[64];
    private int[] mate = new int[64];
    private int[] parent = new int[64];
    private int[] blossomBase = new int[64];
    private int[] queue = new int[64];
    private bool[] reached = new bool[64];
    private bool[] inBlossom = new bool[64];
    private bool[] onPath = new bool[64];
    private int tail;
    private int[] touched = new int[128]; // atoms that the search for one path has marked
    private int touchedCount;

    /// <param name="molecule">Its aromatic bonds are set to single or double.</param>
    /// <param name="bracket">Per atom, whether it was written in brackets, that is, with all its hydrogens.</param>
    /// <returns>-1, or an atom for which there is no double bond.</returns>
    public int Place(Molecule molecule, ReadOnlySpan<bool> bracket)
    {
        int count = molecule.AtomCount;
        Begin(count);
        Span<Atom> atoms = molecule.Atoms;
        Span<Bond> bonds = molecule.Bonds;
        for (int a = 0; a < count; a++)
        {
            if (!atoms[a].Aromatic) continue;
            int used = 0;
            bool aromaticBond = false;
            foreach (Molecule.Neighbor n in molecule.Neighbors(a))
            {
                used += bonds[n.Bond].Aromatic ? 1 : (int)bonds[n.Bond].Order;
                aromaticBond |= bonds[n.Bond].Aromatic;
            }
            ref Atom atom = ref atoms[a];
            needs[a] = aromaticBond && (bracket[a]
                ? Valence.NeedsDoubleBond(atom.Element, used, atom.Hydrogens, atom.Charge)
                : Valence.NeedsDoubleBond(atom.Element, used));
        }
        for (int a = 0; a < count; a++)
        {
            if (needs[a] && mate[a] < 0) MatchWithFreeNeighbor(molecule, a);
        }
        for (int a = 0; a < count; a++)
        {
            if (needs[a] && mate[a] < 0 && !Augment(molecule, a)) return a;
        }
        for (int b = 0; b < bonds.Length; b++)
        {
            ref Bond bond = ref bonds[b];
            if (bond.Aromatic) bond.Order = mate[bond.Begin] == bond.End ? BondOrder.Double : BondOrder.Single;
        }
        return -1;
    }

    private void Begin(int count)
    {
        if (mate.Length < count)
        {
            int room = 2 * count;
            needs = new bool[room];
            mate = new int[room];
            parent = new int[room];
            blossomBase = new int[room];
            queue = new int[room];
            reached = new bool[room];
            inBlossom = new bool[room];
            onPath = new bool[room];
            touched = new int[2 * room];
        }
        Array.Clear(needs, 0, count);
        Array.Clear(reached, 0, count);
        Array.Fill(mate, -1, 0, count);
        Array.Fill(parent, -1, 0, count);
        for (int a = 0; a < count; a++) blossomBase[a] = a;
    }

    private void MatchWithFreeNeighbor(Molecule molecule, int atom)
    {
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
        {
            if (!molecule.Bonds[n.Bond].Aromatic || !needs[n.Atom] || mate[n.Atom] >= 0) continue;
            mate[atom] = n.Atom;
            mate[n.Atom] = atom;
            return;
        }
    }

    private bool Augment(Molecule molecule, int root)
    {
        int end = FindEnd(molecule, root);
        if (end < 0) return false;
        while (end >= 0)
        {
            int before = parent[end];
            int next = mate[before];
            mate[end] = before;
            mate[before] = end;
            end = next;
        }
        for (int i = 0; i < touchedCount; i++)
        {
            int atom = touched[i];
            reached[atom] = false;
            parent[atom] = -1;
            blossomBase[atom] = atom;
        }
        return true;
    }

    private void Reach(int atom)
    {
        reached[atom] = true;
        queue[tail++] = atom;
        touched[touchedCount++] = atom;
    }

    private int FindEnd(Molecule molecule, int root)
    {
        tail = 0;
        touchedCount = 0;
        Reach(root);
        for (int head = 0; head < tail; head++)
        {
            int atom = queue[head];
            foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
            {
                int to = n.Atom;
                if (!molecule.Bonds[n.Bond].Aromatic || !needs[to]) continue;
                if (blossomBase[atom] == blossomBase[to] || mate[atom] == to) continue;
                if (to == root || (mate[to] >= 0 && parent[mate[to]] >= 0))
                {
                    Contract(atom, to, root);
                }
                else if (parent[to] < 0)
                {
                    parent[to] = atom;
                    touched[touchedCount++] = to;
                    if (mate[to] < 0) return to;
                    Reach(mate[to]);
                }
            }
        }
        return -1;
    }

    private void Contract(int a, int b, int root)
    {
        int common = CommonBase(a, b, root);
        for (int i = 0; i < touchedCount; i++) inBlossom[touched[i]] = false;
        MarkPath(a, common, b);
        MarkPath(b, common, a);
        int known = touchedCount;
        for (int i = 0; i < known; i++)
        {
            int atom = touched[i];
            if (!inBlossom[blossomBase[atom]]) continue;
            blossomBase[atom] = common;
            if (!reached[atom]) Reach(atom);
        }
    }

    private int CommonBase(int a, int b, int root)
    {
        for (int i = 0; i < touchedCount; i++) onPath[touched[i]] = false;
        while (true)
        {
            a = blossomBase[a];
            onPath[a] = true;
            if (a == root) break;
            a = parent[mate[a]];
        }
        while (!onPath[b = blossomBase[b]]) b = parent[mate[b]];
        return b;
    }

    private void MarkPath(int atom, int common, int child)
    {
        while (blossomBase[atom] != common)
        {
            inBlossom[blossomBase[atom]] = true;
            inBlossom[blossomBase[mate[atom]]] = true;
            parent[atom] = child;
            child = mate[atom];
            atom = parent[mate[atom]];
        }
    }
}
