namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>
/// The order in which a molecule is written: a depth-first tree over the bonds that are no ring closures, in each atom's order of
/// bonds. What is not on the tree is written as ring labels.
/// </summary>
internal sealed class SmilesTree
{
    private const int MostNeighbors = 8; // beyond that handedness is kept as it stands

    private int[] parentBond = new int[64];
    private int[] rank = new int[64]; // place among the atoms written; -1: not reached
    private int[] stack = new int[64];
    private bool[] onTree = new bool[64];

    /// <summary>-1 for the first atom of a fragment.</summary>
    public int ParentBond(int atom) => parentBond[atom];

    public bool IsTreeBond(int bond) => onTree[bond];

    public int Rank(int atom) => rank[atom];

    public void Build(Molecule molecule)
    {
        if (rank.Length < molecule.AtomCount)
        {
            parentBond = new int[2 * molecule.AtomCount];
            rank = new int[parentBond.Length];
        }
        if (onTree.Length < molecule.BondCount)
        {
            onTree = new bool[2 * molecule.BondCount];
            stack = new int[onTree.Length + 1];
        }
        Array.Fill(parentBond, -1, 0, molecule.AtomCount);
        Array.Fill(rank, -1, 0, molecule.AtomCount);
        Array.Clear(onTree, 0, molecule.BondCount);
        int next = 0;
        for (int root = 0; root < molecule.AtomCount; root++)
        {
            if (rank[root] >= 0) continue;
            rank[root] = next++;
            int depth = PushBonds(molecule, root, 0);
            while (depth > 0)
            {
                int bond = stack[--depth];
                ref Bond b = ref molecule.Bonds[bond];
                bool beginKnown = rank[b.Begin] >= 0;
                if (beginKnown && rank[b.End] >= 0) continue; // reached another way: a ring
                int atom = beginKnown ? b.End : b.Begin;
                rank[atom] = next++;
                parentBond[atom] = bond;
                onTree[bond] = true;
                depth = PushBonds(molecule, atom, depth);
            }
        }
    }

    /// <summary>An atom's handedness against the order in which its neighbours are written.</summary>
    public Chirality WrittenChirality(Molecule molecule, int atom)
    {
        Atom written = molecule.Atoms[atom];
        int degree = molecule.Degree(atom);
        if (degree > MostNeighbors) return written.Chirality;

        // Parent, then ring labels, then branches; keys keep the molecule's order within each.
        Span<int> keys = stackalloc int[degree];
        int count = 0;
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
        {
            int group = n.Bond == parentBond[atom] ? 0 : onTree[n.Bond] ? 2 : 1;
            keys[count++] = group;
        }
        bool odd = degree == 3 && UnwrittenNeighbor.IsSecond(molecule, atom, parentBond[atom] >= 0, keys.Count(1));
        for (int i = 0; i < count; i++)
        {
            for (int j = i + 1; j < count; j++) odd ^= keys[i] > keys[j];
        }
        if (odd) written.InvertChirality();
        return written.Chirality;
    }

    // Last bond first, so that the first one is popped first. An atom may come up several times: the first time counts.
    private int PushBonds(Molecule molecule, int atom, int depth)
    {
        int first = depth;
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
        {
            if (molecule.Bonds[n.Bond].RingClosure || rank[n.Atom] >= 0) continue;
            stack[depth++] = n.Bond;
        }
        Array.Reverse(stack, first, depth - first);
        return depth;
    }
}

/// <summary>
/// The fourth neighbour of an atom of three, which SMILES do not write: a hydrogen or a lone pair. In a molecule it counts before all others
/// (<see cref="Chirality"/>).
/// </summary>
internal static class UnwrittenNeighbor
{
    /// <summary>
    /// Whether SMILES have it second, so that handedness is the other way round. A hydrogen stands behind what the atom is written behind, and first where that
    /// is nothing. Of a lone pair SMILES say nothing; RDKit, whose files most are, takes it second or last, which is the same, but first where the atom has single
    /// bonds only and one ring label.
    /// </summary>
    /// <param name="molecule">Its bonds all there.</param>
    /// <param name="atom">Of three neighbours.</param>
    /// <param name="hasParent">It is written behind one of them.</param>
    /// <param name="rings">How many of them are told by ring labels.</param>
    public static bool IsSecond(Molecule molecule, int atom, bool hasParent, int rings)
    {
        if (molecule.Atoms[atom].Hydrogens > 0) return hasParent;
        if (rings != 1) return true;
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom))
        {
            if (molecule.Bonds[n.Bond] is { Aromatic: true } or { Order: not BondOrder.Single }) return true;
        }
        return false;
    }
}

/// <summary>Where an atom stands in its SMILES.</summary>
internal struct AtomPlace
{
    public int Start;
    public int End;

    /// <summary>-1 where nothing says chirality.</summary>
    public int ChiralityStart;
    public int ChiralityEnd;
}
