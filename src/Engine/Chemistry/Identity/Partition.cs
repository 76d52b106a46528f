namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// An ordered partition of a graph's atoms, refined until atoms of one cell have the same neighbours, cell by cell (Weisfeiler and Leman 1968), with
/// handedness and double-bond stereo taking part as soon as the neighbours that they refer to lie in different cells. Order and cells depend on
/// the molecule alone, never on the numbering of its atoms.
/// </summary>
internal sealed class Partition
{
    private MolecularGraph graph = null!;
    private ulong[] hash = new ulong[64];
    private bool stereo;

    /// <summary>Atoms by place; the atoms of a cell stand side by side.</summary>
    public int[] Order { get; private set; } = new int[64];

    /// <summary>Per atom: the first place of its cell.</summary>
    public int[] Cell { get; private set; } = new int[64];

    /// <summary>Per first place of a cell: its atoms.</summary>
    public int[] Size { get; private set; } = new int[64];

    public int Cells { get; private set; }

    public bool IsDiscrete => Cells == graph.AtomCount;

    /// <summary>Cells of what atoms are by themselves: ends of chains first, carbon before other elements.</summary>
    public void Begin(MolecularGraph graph)
    {
        this.graph = graph;
        stereo = graph.HasStereo;
        int n = graph.AtomCount;
        Reserve(n);
        for (int a = 0; a < n; a++)
        {
            Order[a] = a;
            hash[a] = Code(ref graph.Atoms[a]);
        }
        Cells = 0;
        if (n == 0) return;
        Size[0] = n;
        Cells = 1;
        Split(0, n);
    }

    /// <summary>All that an atom is without its neighbours, as one number.</summary>
    public static ulong Code(ref GraphAtom atom)
    {
        uint element = atom.Element switch { 6 => 0u, 0 => 127u, _ => atom.Element };
        return (ulong)atom.Degree << 48 | (ulong)element << 41 | (ulong)atom.Hydrogens << 33 | (ulong)(byte)(atom.Charge + 128) << 25
            | (ulong)atom.Isotope << 9 | (atom.Aromatic ? 2u : 0u) | (atom.InRing ? 1u : 0u);
    }

    public void CopyFrom(Partition other)
    {
        graph = other.graph;
        stereo = other.stereo;
        int n = graph.AtomCount;
        Reserve(n);
        Array.Copy(other.Order, Order, n);
        Array.Copy(other.Cell, Cell, n);
        Array.Copy(other.Size, Size, n);
        Cells = other.Cells;
    }

    /// <summary>Puts an atom into a cell of its own, before the rest of the one that it was in.</summary>
    public void Individualize(int atom)
    {
        int start = Cell[atom], size = Size[start];
        if (size == 1) return;
        int at = Array.IndexOf(Order, atom, start, size);
        (Order[start], Order[at]) = (atom, Order[start]);
        Size[start] = 1;
        Size[start + 1] = size - 1;
        for (int i = start + 1; i < start + size; i++) Cell[Order[i]] = start + 1;
        Cells++;
    }

    /// <summary>Splits cells until no atom's neighbourhood tells it from the rest of its cell.</summary>
    public void Refine()
    {
        int n = graph.AtomCount, before = -1;
        while (Cells > before && Cells < n)
        {
            before = Cells;
            for (int start = 0; start < n; start += Size[start])
            {
                int size = Size[start];
                if (size == 1) continue;
                for (int i = start; i < start + size; i++) hash[Order[i]] = Neighborhood(Order[i]);
            }
            for (int start = 0; start < n;)
            {
                int size = Size[start];
                if (size > 1) Split(start, size);
                start += size;
            }
        }
    }

    /// <summary>0: two of the neighbours lie in one cell; else 1 or 2, the handedness against the order of cells.</summary>
    public int Parity(int atom)
    {
        ref GraphAtom center = ref graph.Atoms[atom];
        bool odd = center.Chirality == Chirality.Clockwise;
        int end = center.First + center.Degree;
        for (int i = center.First; i < end; i++)
        {
            int cell = Cell[graph.Links[i].Atom];
            for (int k = i + 1; k < end; k++)
            {
                int other = Cell[graph.Links[k].Atom];
                if (other == cell) return 0;
                odd ^= cell > other;
            }
        }
        return odd ? 2 : 1;
    }

    /// <summary>0: two neighbours of an end lie in one cell; else 1 (cis) or 2 (trans), of the neighbours in the later cells.</summary>
    public int BondParity(int bond)
    {
        ref GraphBond it = ref graph.Bonds[bond];
        int one = Turn(it.Begin, it.End, it.BeginReference), other = Turn(it.End, it.Begin, it.EndReference);
        return one < 0 || other < 0 ? 0 : (it.Stereo == BondStereo.Trans) ^ (one != other) ? 2 : 1;
    }

    // 0 where the reference is the neighbour that counts, 1 where the other one is, -1 where neither is.
    private int Turn(int end, int across, int reference)
    {
        ref GraphAtom atom = ref graph.Atoms[end];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            int neighbor = graph.Links[i].Atom;
            if (neighbor == across || neighbor == reference) continue;
            return Cell[neighbor] == Cell[reference] ? -1 : Cell[neighbor] > Cell[reference] ? 1 : 0;
        }
        return 0;
    }

    /// <summary>Order, aromaticity and resolved stereo of a bond in six bits.</summary>
    public int BondCode(int bond)
    {
        ref GraphBond it = ref graph.Bonds[bond];
        if (it.Aromatic) return 5;
        return it.Stereo == BondStereo.None ? it.Order : it.Order + 8 * BondParity(bond);
    }

    private ulong Neighborhood(int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        ulong sum = 0;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            GraphLink link = graph.Links[i];
            ref GraphBond bond = ref graph.Bonds[link.Bond];
            int code = stereo ? BondCode(link.Bond) : bond.Aromatic ? 5 : bond.Order;
            sum += Mixed((ulong)(uint)(64 * Cell[link.Atom] + code) + 1);
        }
        if (atom.Chirality != Chirality.None) sum += Mixed((ulong)Parity(index) << 40);
        return sum;
    }

    private static ulong Mixed(ulong x)
    {
        x *= 0x9E3779B97F4A7C15;
        x = (x ^ x >> 29) * 0xBF58476D1CE4E5B9;
        return x ^ x >> 32;
    }

    // Sorts the cell by hash and makes a cell of each run of equal ones.
    private void Split(int start, int size)
    {
        int end = start + size;
        bool equal = true;
        ulong first = hash[Order[start]];
        for (int i = start + 1; i < end && equal; i++) equal = hash[Order[i]] == first;
        if (!equal)
        {
            if (size > 48) Array.Sort(Order, start, size, Comparer<int>.Create((a, b) => hash[a].CompareTo(hash[b])));
            else Insert(start, end);
        }
        int cell = start;
        for (int i = start; i < end; i++)
        {
            if (i > start && hash[Order[i]] != hash[Order[i - 1]])
            {
                Size[cell] = i - cell;
                cell = i;
                Cells++;
            }
            Cell[Order[i]] = cell;
        }
        Size[cell] = end - cell;
    }

    private void Insert(int start, int end)
    {
        for (int i = start + 1; i < end; i++)
        {
            int atom = Order[i];
            ulong key = hash[atom];
            int at = i;
            for (; at > start && hash[Order[at - 1]] > key; at--) Order[at] = Order[at - 1];
            Order[at] = atom;
        }
    }

    private void Reserve(int count)
    {
        if (hash.Length >= count) return;
        int room = 2 * count;
        (hash, Order, Cell, Size) = (new ulong[room], new int[room], new int[room], new int[room]);
    }
}
