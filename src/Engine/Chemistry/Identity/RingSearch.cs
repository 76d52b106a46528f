using System.Runtime.InteropServices;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// The ring bonds of a graph and its shortest rings: in each two-connected part, all shortest rings through each bond and, where those do not
/// span its cycle space, all relevant cycles (Vismara 1997, Electron. J. Combin. 4, R9). The same rings whatever the order of atoms.
/// </summary>
internal sealed class RingSearch
{
    private const int MostPaths = 64; // through one bond: more are those of large cyclophanes, and then none is taken

    private int[] order = new int[64], low = new int[64], parentBond = new int[64], next = new int[64], stack = new int[64], edges = new int[64];
    private int[] partStart = new int[16], partBonds = new int[64], partOf = new int[64];
    private int[] degree = new int[64], distance = new int[64], queue = new int[64], path = new int[64];
    private int[] starts = new int[32], atoms = new int[128], bonds = new int[128];
    private readonly HashSet<UInt128> seen = [];
    private MolecularGraph graph = null!;
    private int current; // part
    private int distanceCount;

    /// <summary>Rings found.</summary>
    public int Count { get; private set; }

    /// <summary>Bonds less atoms plus fragments: how many rings a smallest set has.</summary>
    public int Independent { get; private set; }

    public ReadOnlySpan<int> AtomsOf(int ring) => atoms.AsSpan(starts[ring], starts[ring + 1] - starts[ring]);

    public ReadOnlySpan<int> BondsOf(int ring) => bonds.AsSpan(starts[ring], starts[ring + 1] - starts[ring]);

    /// <summary>Finds the rings, and says of each atom and bond whether it lies on one.</summary>
    public void Find(MolecularGraph graph)
    {
        this.graph = graph;
        Count = 0;
        Independent = 0;
        int parts = FindParts();
        for (current = 0; current < parts; current++) FindRings(partBonds.AsSpan(partStart[current], partStart[current + 1] - partStart[current]));
    }

    // Two-connected parts with more than one bond, by depth-first search (Hopcroft and Tarjan 1973, doi 10.1145/362248.362272).
    private int FindParts()
    {
        int n = graph.AtomCount, m = graph.BondCount;
        if (order.Length < n)
        {
            int room = 2 * n;
            (order, low, parentBond, next, stack) = (new int[room], new int[room], new int[room], new int[room], new int[room]);
            (degree, distance, queue, path) = (new int[room], new int[room], new int[room], new int[room]);
        }
        if (edges.Length < m) edges = new int[2 * m];
        if (partBonds.Length < m) (partBonds, partOf) = (new int[2 * m], new int[2 * m]);
        Array.Fill(partOf, -1, 0, m);
        Array.Clear(order, 0, n);
        int parts = 0, time = 0, filled = 0, fragments = 0;
        partStart[0] = 0;
        for (int root = 0; root < n; root++)
        {
            if (order[root] > 0) continue;
            fragments++;
            int depth = 0, edgeCount = 0;
            Enter(root, -1);
            while (depth > 0)
            {
                int a = stack[depth - 1];
                ref GraphAtom atom = ref graph.Atoms[a];
                if (next[a] < atom.First + atom.Degree)
                {
                    GraphLink link = graph.Links[next[a]++];
                    if (link.Bond == parentBond[a]) continue;
                    if (order[link.Atom] == 0)
                    {
                        edges[edgeCount++] = link.Bond;
                        Enter(link.Atom, link.Bond);
                    }
                    else if (order[link.Atom] < order[a])
                    {
                        edges[edgeCount++] = link.Bond;
                        low[a] = Math.Min(low[a], order[link.Atom]);
                    }
                    continue;
                }
                depth--;
                if (depth == 0) continue;
                int parent = stack[depth - 1];
                low[parent] = Math.Min(low[parent], low[a]);
                if (low[a] < order[parent]) continue;
                int first = edgeCount;
                while (edges[--first] != parentBond[a])
                {
                }
                if (edgeCount - first > 1)
                {
                    edges.AsSpan(first, edgeCount - first).CopyTo(partBonds.AsSpan(filled));
                    filled += edgeCount - first;
                    if (++parts == partStart.Length) Array.Resize(ref partStart, 2 * parts);
                    partStart[parts] = filled;
                }
                edgeCount = first;
            }

            void Enter(int a, int bond)
            {
                order[a] = low[a] = ++time;
                parentBond[a] = bond;
                next[a] = graph.Atoms[a].First;
                stack[depth++] = a;
            }
        }
        Independent = m - n + fragments;
        return parts;
    }

    private void FindRings(ReadOnlySpan<int> part)
    {
        foreach (int b in part)
        {
            ref GraphBond bond = ref graph.Bonds[b];
            bond.InRing = true;
            partOf[b] = current;
            (degree[bond.Begin], degree[bond.End]) = (0, 0);
        }
        int vertices = 0;
        foreach (int b in part)
        {
            ref GraphBond bond = ref graph.Bonds[b];
            graph.Atoms[bond.Begin].InRing = graph.Atoms[bond.End].InRing = true;
            if (degree[bond.Begin]++ == 0) vertices++;
            if (degree[bond.End]++ == 0) vertices++;
        }
        int rank = part.Length - vertices + 1;
        if (rank == 1) Take(part);
        else if (rank == 2) FindTwo(part);
        else FindMany(part, rank);
    }

    // Two atoms of three bonds joined by three paths: the rings of the two shorter sums, and the third where it is as short.
    private void FindTwo(ReadOnlySpan<int> part)
    {
        int from = -1;
        foreach (int b in part)
            if (degree[graph.Bonds[b].Begin] == 3) from = graph.Bonds[b].Begin;
        Span<int> ends = stackalloc int[4];
        Span<int> all = part.Length <= 128 ? stackalloc int[part.Length] : new int[part.Length];
        int paths = 0, filled = 0;
        ref GraphAtom atom = ref graph.Atoms[from];
        for (int i = atom.First; i < atom.First + atom.Degree && paths < 3; i++)
        {
            int bond = graph.Links[i].Bond;
            if (partOf[bond] != current) continue;
            int at = graph.Links[i].Atom;
            all[filled++] = bond;
            while (degree[at] == 2)
            {
                ref GraphAtom step = ref graph.Atoms[at];
                for (int k = step.First; k < step.First + step.Degree; k++)
                {
                    GraphLink link = graph.Links[k];
                    if (link.Bond == bond || partOf[link.Bond] != current) continue;
                    bond = link.Bond;
                    at = link.Atom;
                    break;
                }
                all[filled++] = bond;
            }
            ends[++paths] = filled;
        }
        ReadOnlySpan<int> a = all[..ends[1]], b2 = all[ends[1]..ends[2]], c = all[ends[2]..];
        int ab = a.Length + b2.Length, ac = a.Length + c.Length, bc = b2.Length + c.Length;
        // A ring is the sum of the two others: it counts unless both are shorter.
        if (ab <= Math.Max(ac, bc)) Join(a, b2);
        if (ac <= Math.Max(ab, bc)) Join(a, c);
        if (bc <= Math.Max(ab, ac)) Join(b2, c);
    }

    private void Join(ReadOnlySpan<int> one, ReadOnlySpan<int> other)
    {
        int length = one.Length + other.Length;
        Span<int> ring = length <= 128 ? stackalloc int[length] : new int[length];
        one.CopyTo(ring);
        other.CopyTo(ring[one.Length..]);
        Take(ring);
    }

    private void FindMany(ReadOnlySpan<int> part, int rank)
    {
        int first = Count;
        seen.Clear();
        foreach (int b in part) ThroughBond(part, b);
        CycleBasis basis = new(part);
        for (int r = first; r < Count; r++) basis.Add(BondsOf(r));
        if (basis.Count == rank) return;
        Count = first;
        seen.Clear();
        foreach (int b in part)
        {
            ThroughRoot(part, graph.Bonds[b].Begin);
            ThroughRoot(part, graph.Bonds[b].End);
        }
        TakeRelevant(first, part);
    }

    // Of the rings from the first on, those that are no sums of shorter ones.
    private void TakeRelevant(int first, ReadOnlySpan<int> part)
    {
        int[][] byLength = [.. Enumerable.Range(first, Count - first).Select(r => BondsOf(r).ToArray()).OrderBy(ring => ring.Length)];
        Count = first;
        CycleBasis shorter = new(part);
        for (int i = 0, start = 0; i < byLength.Length; i++)
        {
            if (!shorter.Spans(byLength[i])) Take(byLength[i]);
            if (i + 1 < byLength.Length && byLength[i + 1].Length == byLength[i].Length) continue;
            for (; start <= i; start++) shorter.Add(byLength[start]);
        }
    }

    // Every shortest ring that a bond lies on: breadth first from one end to the other without it.
    private void ThroughBond(ReadOnlySpan<int> part, int through)
    {
        ref GraphBond bond = ref graph.Bonds[through];
        Measure(part, bond.Begin, through);
        int length = distance[bond.End] + 1, before = Count;
        Span<int> ring = length <= 128 ? stackalloc int[length] : new int[length];
        ring[0] = through;
        int left = MostPaths;
        if (Walk(bond.End, ring, 1, ref left)) return;
        Count = before;
    }

    // Steps down the distances; false where there are too many ways.
    private bool Walk(int at, Span<int> ring, int filled, ref int left)
    {
        if (distance[at] == 0)
        {
            TakeOnce(ring);
            return left-- > 0;
        }
        ref GraphAtom atom = ref graph.Atoms[at];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            GraphLink link = graph.Links[i];
            if (link.Bond == ring[0] || partOf[link.Bond] != current || distance[link.Atom] != distance[at] - 1) continue;
            ring[filled] = link.Bond;
            if (!Walk(link.Atom, ring, filled + 1, ref left)) return false;
        }
        return true;
    }

    // Candidates for all relevant cycles: two shortest paths from a root that a bond or an atom closes.
    private void ThroughRoot(ReadOnlySpan<int> part, int root)
    {
        Measure(part, root, -1);
        var paths = new Dictionary<int, List<int[]>> { [root] = [[]] };
        int reached = distanceCount;
        for (int q = 1; q < reached; q++)
        {
            int at = queue[q];
            ref GraphAtom atom = ref graph.Atoms[at];
            List<int[]> mine = [];
            for (int i = atom.First; i < atom.First + atom.Degree; i++)
            {
                GraphLink link = graph.Links[i];
                if (partOf[link.Bond] != current || distance[link.Atom] != distance[at] - 1) continue;
                foreach (int[] before in paths[link.Atom]) mine.Add([.. before, link.Bond]);
            }
            paths[at] = mine.Count > MostPaths ? [] : mine;
            Close(mine.Count > MostPaths ? [] : mine, mine.Count > MostPaths ? [] : mine, -1);
        }
        foreach (int b in part)
        {
            ref GraphBond bond = ref graph.Bonds[b];
            if (distance[bond.Begin] == distance[bond.End]) Close(paths[bond.Begin], paths[bond.End], b);
        }
    }

    private void Close(List<int[]> left, List<int[]> right, int closing)
    {
        foreach (int[] one in left)
        {
            foreach (int[] other in right)
            {
                if (ReferenceEquals(one, other) || one.AsSpan().ContainsAny(other) || SharesAtom(one, other)) continue;
                TakeOnce(closing < 0 ? [.. one, .. other] : [.. one, .. other, closing]);
            }
        }
    }

    // Paths from one root may meet only there, and at their last atoms where these are one.
    private bool SharesAtom(int[] one, int[] other)
    {
        HashSet<int> met = [];
        for (int i = 0; i < one.Length - 1; i++)
        {
            met.Add(graph.Bonds[one[i]].Begin);
            met.Add(graph.Bonds[one[i]].End);
        }
        met.Remove(queue[0]);
        for (int i = 0; i < other.Length - 1; i++)
        {
            ref GraphBond bond = ref graph.Bonds[other[i]];
            if (met.Contains(bond.Begin) || met.Contains(bond.End)) return true;
        }
        return false;
    }

    private void Measure(ReadOnlySpan<int> part, int root, int without)
    {
        foreach (int b in part) distance[graph.Bonds[b].Begin] = distance[graph.Bonds[b].End] = -1;
        distance[root] = 0;
        queue[0] = root;
        int tail = 1;
        for (int head = 0; head < tail; head++)
        {
            int at = queue[head];
            ref GraphAtom atom = ref graph.Atoms[at];
            for (int i = atom.First; i < atom.First + atom.Degree; i++)
            {
                GraphLink link = graph.Links[i];
                if (link.Bond == without || partOf[link.Bond] != current || distance[link.Atom] >= 0) continue;
                distance[link.Atom] = distance[at] + 1;
                queue[tail++] = link.Atom;
            }
        }
        distanceCount = tail;
    }

    private void TakeOnce(ReadOnlySpan<int> ring)
    {
        Span<int> sorted = ring.Length <= 128 ? stackalloc int[ring.Length] : new int[ring.Length];
        ring.CopyTo(sorted);
        sorted.Sort();
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(sorted);
        if (seen.Add(new UInt128(StableHash.Of(bytes, 1), StableHash.Of(bytes, 2)))) Take(ring);
    }

    private void Take(ReadOnlySpan<int> ring)
    {
        if (Count + 2 > starts.Length) Array.Resize(ref starts, 2 * starts.Length);
        int at = starts[Count];
        if (at + ring.Length > bonds.Length)
        {
            int room = 2 * (at + ring.Length);
            Array.Resize(ref bonds, room);
            Array.Resize(ref atoms, room);
        }
        ring.CopyTo(bonds.AsSpan(at));
        int filled = at;
        foreach (int b in ring)
        {
            ref GraphBond bond = ref graph.Bonds[b];
            ReadOnlySpan<int> mine = atoms.AsSpan(at, filled - at);
            if (!mine.Contains(bond.Begin)) atoms[filled++] = bond.Begin;
            mine = atoms.AsSpan(at, filled - at);
            if (!mine.Contains(bond.End)) atoms[filled++] = bond.End;
        }
        starts[++Count] = at + ring.Length;
    }
}
