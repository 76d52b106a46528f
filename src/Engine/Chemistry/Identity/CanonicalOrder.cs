namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// Numbers the atoms of a graph so that equal molecules get equal numbered graphs, by individualization and refinement (McKay 1981, Practical
/// graph isomorphism): where refinement leaves ties, each atom of a cell is tried and the least numbered graph wins, except where ties are known to
/// be symmetries (McKay's lemma 2.25; ends that hang on one atom) and one try is enough. Symmetries found on the way spare the rest.
/// Stereo that a symmetry of the rest of the molecule turns over is none, and is taken away.
/// </summary>
internal sealed class CanonicalOrder
{
    private readonly Partition partition = new(), top = new();
    private readonly List<Partition> saved = [];
    private readonly List<int[]> symmetries = [];
    private readonly List<int> path = [], firstPath = [], bestPath = [];
    private readonly Certificate certificate = new(), first = new(), best = new();
    private int[] firstOrder = new int[64], bestOrder = new int[64], orbit = new int[64];
    private MolecularGraph graph = null!;
    private int back; // depth to return to; int.MaxValue: none
    private bool single; // so far no cell needed more than one try

    /// <summary>Per atom: its number. Valid after <see cref="Find"/>.</summary>
    public int[] Number => partition.Cell;

    /// <summary>Atoms by number.</summary>
    public int[] Order => partition.Order;

    public void Find(MolecularGraph graph)
    {
        this.graph = graph;
        if (orbit.Length < graph.AtomCount)
        {
            int room = 2 * graph.AtomCount;
            (firstOrder, bestOrder, orbit) = (new int[room], new int[room], new int[room]);
        }
        partition.Begin(graph);
        partition.Refine();
        while (graph.HasStereo && !partition.IsDiscrete && DropSpurious())
        {
            partition.Begin(graph);
            partition.Refine();
        }
        if (partition.IsDiscrete) return;
        Search(true);
    }

    /// <summary>The graph as numbered, with all that tells it from others, appended to <paramref name="words"/>.</summary>
    public void Describe(Certificate words)
    {
        words.Clear();
        for (int i = 0; i < graph.AtomCount; i++) words.Add(Partition.Code(ref graph.Atoms[partition.Order[i]]));
        words.Describe(graph, partition);
    }

    // Leaves the partition numbered by the least certificate; keeps that in best unless one try was enough.
    private void Search(bool mayBeSingle)
    {
        symmetries.Clear();
        path.Clear();
        first.Clear();
        back = int.MaxValue;
        single = mayBeSingle;
        Visit(0);
        if (single) return;
        for (int i = 0; i < graph.AtomCount; i++)
        {
            partition.Order[i] = bestOrder[i];
            partition.Cell[bestOrder[i]] = i;
        }
    }

    private void Visit(int depth)
    {
        if (partition.IsDiscrete)
        {
            if (!single) Leaf();
            return;
        }
        int target = Target(out int open);
        bool symmetric = IsSymmetric(target, open);
        if (!symmetric) single = false;
        while (saved.Count <= depth) saved.Add(new Partition());
        int size = partition.Size[target];
        int[] members = partition.Order.AsSpan(target, size).ToArray();
        if (!symmetric) saved[depth].CopyFrom(partition);
        for (int i = 0; i < size; i++)
        {
            if (i > 0)
            {
                if (IsKnown(members.AsSpan(0, i), members[i], depth)) continue;
                partition.CopyFrom(saved[depth]);
            }
            if (path.Count > depth) path.RemoveRange(depth, path.Count - depth);
            path.Add(members[i]);
            partition.Individualize(members[i]);
            partition.Refine();
            Visit(depth + 1);
            if (symmetric || depth > back) return;
            back = int.MaxValue;
        }
    }

    // The first of the smallest cells that are not single atoms.
    private int Target(out int open)
    {
        int target = -1;
        open = 0;
        for (int start = 0; start < graph.AtomCount; start += partition.Size[start])
        {
            if (partition.Size[start] == 1) continue;
            open++;
            if (target < 0 || partition.Size[start] < partition.Size[target]) target = start;
        }
        return target;
    }

    private bool IsSymmetric(int target, int open)
    {
        bool unresolved = graph.HasStereo && HasUnresolved();
        int ties = graph.AtomCount - partition.Cells;
        if (!unresolved && (ties <= 4 || ties <= open + 1)) return true;
        int parent = -2;
        for (int i = target; i < target + partition.Size[target]; i++)
        {
            ref GraphAtom atom = ref graph.Atoms[partition.Order[i]];
            if (atom.Degree > 1) return false;
            int mine = atom.Degree == 0 ? -1 : graph.Links[atom.First].Atom;
            if (parent != -2 && mine != parent) return false;
            parent = mine;
        }
        if (parent < 0 || !unresolved) return true;
        ref GraphAtom center = ref graph.Atoms[parent];
        if (center.Chirality != Chirality.None) return false;
        for (int i = center.First; i < center.First + center.Degree; i++)
            if (graph.Bonds[graph.Links[i].Bond].Stereo != BondStereo.None) return false;
        return true;
    }

    private bool HasUnresolved()
    {
        for (int a = 0; a < graph.AtomCount; a++)
            if (graph.Atoms[a].Chirality != Chirality.None && partition.Parity(a) == 0) return true;
        for (int b = 0; b < graph.BondCount; b++)
            if (graph.Bonds[b].Stereo != BondStereo.None && partition.BondParity(b) == 0) return true;
        return false;
    }

    private void Leaf()
    {
        certificate.Clear();
        certificate.Describe(graph, partition);
        int n = graph.AtomCount;
        if (first.Count == 0)
        {
            Keep(first, firstOrder, firstPath);
            Keep(best, bestOrder, bestPath);
            return;
        }
        if (certificate.CompareTo(first) == 0) AddSymmetry(firstOrder, firstPath);
        else if (certificate.CompareTo(best) is var sign && sign == 0) AddSymmetry(bestOrder, bestPath);
        else if (sign < 0) Keep(best, bestOrder, bestPath);

        void Keep(Certificate kept, int[] order, List<int> way)
        {
            kept.CopyFrom(certificate);
            Array.Copy(partition.Order, order, n);
            way.Clear();
            way.AddRange(path);
        }

        void AddSymmetry(int[] order, List<int> way)
        {
            int[] image = new int[n];
            for (int i = 0; i < n; i++) image[order[i]] = partition.Order[i];
            symmetries.Add(image);
            back = 0;
            while (back < way.Count && back < path.Count && way[back] == path[back]) back++;
        }
    }

    // Whether symmetries that keep the way here in place carry an atom to one that has been tried.
    private bool IsKnown(ReadOnlySpan<int> tried, int atom, int depth)
    {
        if (symmetries.Count == 0) return false;
        for (int a = 0; a < graph.AtomCount; a++) orbit[a] = a;
        foreach (int[] image in symmetries)
        {
            bool keeps = true;
            for (int i = 0; i < depth; i++) keeps &= image[path[i]] == path[i];
            if (!keeps) continue;
            for (int a = 0; a < graph.AtomCount; a++)
            {
                int one = Root(a), other = Root(image[a]);
                if (one != other) orbit[Math.Max(one, other)] = Math.Min(one, other);
            }
        }
        int root = Root(atom);
        foreach (int before in tried)
            if (Root(before) == root) return true;
        return false;
    }

    private int Root(int atom)
    {
        while (orbit[atom] != atom) atom = orbit[atom] = orbit[orbit[atom]];
        return atom;
    }

    // Removing a tag only adds symmetries, so all that are none now stay none: the order of removal does not matter.
    private bool DropSpurious()
    {
        top.CopyFrom(partition);
        List<int> atoms = [], bonds = [];
        for (int a = 0; a < graph.AtomCount; a++)
        {
            if (graph.Atoms[a].Chirality == Chirality.None || top.Parity(a) != 0) continue;
            Certificate before = Fixed(a, a);
            graph.Atoms[a].InvertChirality();
            if (Fixed(a, a).CompareTo(before) == 0) atoms.Add(a);
            graph.Atoms[a].InvertChirality();
        }
        for (int b = 0; b < graph.BondCount; b++)
        {
            ref GraphBond bond = ref graph.Bonds[b];
            if (bond.Stereo == BondStereo.None || top.BondParity(b) != 0) continue;
            BondStereo given = bond.Stereo;
            Certificate before = Fixed(bond.Begin, bond.End);
            bond.Stereo = given == BondStereo.Cis ? BondStereo.Trans : BondStereo.Cis;
            if (Fixed(bond.Begin, bond.End).CompareTo(before) == 0) bonds.Add(b);
            bond.Stereo = given;
        }
        foreach (int a in atoms) graph.Atoms[a].Chirality = Chirality.None;
        foreach (int b in bonds) graph.Bonds[b].Stereo = BondStereo.None;
        partition.CopyFrom(top);
        return atoms.Count + bonds.Count > 0;
    }

    // The least numbered graph among those in which these atoms keep their places.
    private Certificate Fixed(int atom, int other)
    {
        partition.CopyFrom(top);
        partition.Individualize(atom);
        partition.Individualize(other);
        partition.Refine();
        Search(false);
        Certificate kept = new();
        kept.CopyFrom(best);
        return kept;
    }
}

/// <summary>A numbered graph as a row of numbers, to be compared.</summary>
internal sealed class Certificate
{
    private ulong[] words = new ulong[256];

    public int Count { get; private set; }

    public ReadOnlySpan<ulong> Words => words.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Add(ulong word)
    {
        if (Count == words.Length) Array.Resize(ref words, 2 * Count);
        words[Count++] = word;
    }

    /// <summary>Each atom's handedness and, in order, its neighbours before it with their bonds.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="partition">Discrete.</param>
    public void Describe(MolecularGraph graph, Partition partition)
    {
        for (int i = 0; i < graph.AtomCount; i++)
        {
            int index = partition.Order[i];
            ref GraphAtom atom = ref graph.Atoms[index];
            int from = Count;
            Add(atom.Chirality == Chirality.None ? 0 : (ulong)partition.Parity(index));
            for (int k = atom.First; k < atom.First + atom.Degree; k++)
            {
                GraphLink link = graph.Links[k];
                int cell = partition.Cell[link.Atom];
                if (cell < i) Add((ulong)(uint)(64 * (cell + 1) + partition.BondCode(link.Bond)));
            }
            if (Count - from > 2) Array.Sort(words, from + 1, Count - from - 1);
        }
    }

    public void CopyFrom(Certificate other)
    {
        if (words.Length < other.Count) words = new ulong[2 * other.Count];
        other.Words.CopyTo(words);
        Count = other.Count;
    }

    public int CompareTo(Certificate other) => Words.SequenceCompareTo(other.Words);
}
