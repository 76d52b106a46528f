namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// A numbered graph as a molecule to be written: depth first from the least number, at each atom ring bonds first and the largest branch last. Double-bond
/// stereo becomes directions of single bonds again; where those would say something of another double bond, a hydrogen is written out to carry them.
/// </summary>
internal sealed class CanonicalMolecule
{
    private readonly Molecule molecule = new();
    private MolecularGraph graph = null!;
    private int[] number = [];
    private int[] rank = new int[64], parentBond = new int[64], parent = new int[64], size = new int[64], visit = new int[64], placed = new int[64], stack = new int[64];
    private int[] reserved = new int[64];
    private readonly Dictionary<int, BondDirection> directions = []; // by bond, from Begin to End of the graph's
    private readonly Dictionary<int, bool> hydrogens = []; // by atom: written out, and above its end or not
    private readonly List<int> children = [];

    public Molecule Of(MolecularGraph graph, CanonicalOrder order)
    {
        this.graph = graph;
        number = order.Number;
        int n = graph.AtomCount;
        if (rank.Length < n)
        {
            int room = 2 * n;
            (rank, parentBond, parent, size, visit) = (new int[room], new int[room], new int[room], new int[room], new int[room]);
            (placed, stack) = (new int[room], new int[room]);
        }
        if (reserved.Length < graph.BondCount) reserved = new int[2 * graph.BondCount];
        Array.Fill(rank, -1, 0, n);
        int count = 0;
        for (int i = 0; i < n; i++)
            if (rank[order.Order[i]] < 0) count = Span(order.Order[i], count);
        for (int i = 0; i < n; i++) size[visit[i]] = 1;
        for (int i = n - 1; i >= 0; i--)
            if (parent[visit[i]] >= 0) size[parent[visit[i]]] += size[visit[i]];
        directions.Clear();
        hydrogens.Clear();
        if (graph.HasStereo) Direct();
        molecule.Clear();
        Array.Fill(reserved, -1, 0, graph.BondCount);
        for (int i = 0; i < n; i++)
            if (parent[visit[i]] < 0) WriteFragment(visit[i]);
        return molecule;
    }

    // The depth-first tree by rising numbers.
    private int Span(int root, int count)
    {
        int depth = 0;
        Enter(root, -1, -1);
        while (depth > 0)
        {
            int a = stack[depth - 1];
            ref GraphAtom atom = ref graph.Atoms[a];
            int best = -1, bond = -1;
            for (int i = atom.First; i < atom.First + atom.Degree; i++)
            {
                GraphLink link = graph.Links[i];
                if (rank[link.Atom] >= 0 || (best >= 0 && number[link.Atom] > number[best])) continue;
                (best, bond) = (link.Atom, link.Bond);
            }
            if (best < 0) depth--;
            else Enter(best, a, bond);
        }
        return count;

        void Enter(int a, int from, int bond)
        {
            visit[count] = a;
            rank[a] = count++;
            parent[a] = from;
            parentBond[a] = bond;
            stack[depth++] = a;
        }
    }

    private void WriteFragment(int root)
    {
        int depth = 0;
        stack[depth++] = root;
        while (depth > 0)
        {
            int a = stack[--depth];
            Write(a);
            children.Clear();
            ref GraphAtom atom = ref graph.Atoms[a];
            for (int i = atom.First; i < atom.First + atom.Degree; i++)
                if (parentBond[graph.Links[i].Atom] == graph.Links[i].Bond) children.Add(graph.Links[i].Atom);
            children.Sort((x, y) => size[x] != size[y] ? size[y].CompareTo(size[x]) : number[y].CompareTo(number[x]));
            foreach (int child in children) stack[depth++] = child; // the largest first, to be written last
        }
    }

    private void Write(int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        bool written = hydrogens.TryGetValue(index, out bool above);
        placed[index] = molecule.AddAtom(new Atom
        {
            Element = atom.Element,
            Hydrogens = (byte)(atom.Hydrogens - (written ? 1 : 0)),
            Charge = atom.Charge,
            Isotope = atom.Isotope,
            Aromatic = atom.Aromatic,
            Chirality = atom.Chirality,
        });
        if (parent[index] >= 0) molecule.AddBond(BondOf(parentBond[index], parent[index], index));
        if (written)
        {
            int hydrogen = molecule.AddAtom(new Atom { Element = 1 });
            molecule.AddBond(new Bond
            {
                Begin = placed[index],
                End = hydrogen,
                Order = BondOrder.Single,
                Direction = above ? BondDirection.Up : BondDirection.Down,
            });
        }
        if (atom.InRing) WriteRings(index);
        if (atom.Chirality != Chirality.None) Turn(index);
    }

    // Closing bonds and opening ones, each by the other end's number.
    private void WriteRings(int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        Span<(int Number, int Bond, int Atom)> rings = stackalloc (int, int, int)[atom.Degree];
        int count = RingsOf(index, rings);
        foreach ((int _, int bond, int other) in rings[..count])
        {
            if (reserved[bond] < 0)
            {
                reserved[bond] = molecule.Reserve(placed[index]);
                continue;
            }
            Bond closing = BondOf(bond, other, index);
            closing.RingClosure = true;
            molecule.AddBond(closing, reserved[bond]);
        }
    }

    private int RingsOf(int index, Span<(int Number, int Bond, int Atom)> rings)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        int count = 0;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            GraphLink link = graph.Links[i];
            if (parentBond[index] == link.Bond || parentBond[link.Atom] == link.Bond) continue;
            rings[count++] = (number[link.Atom], link.Bond, link.Atom);
        }
        rings[..count].Sort();
        return count;
    }

    private Bond BondOf(int index, int from, int to)
    {
        ref GraphBond bond = ref graph.Bonds[index];
        BondDirection direction = directions.GetValueOrDefault(index);
        if (direction != BondDirection.None && bond.Begin != from) direction = direction == BondDirection.Up ? BondDirection.Down : BondDirection.Up;
        return new Bond { Begin = placed[from], End = placed[to], Order = (BondOrder)bond.Order, Aromatic = bond.Aromatic, Direction = direction };
    }

    // Handedness from the order of neighbours in the graph to that in which they are written: parent, rings, branches.
    private void Turn(int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        Span<(int Group, int Size, int Number)> keys = stackalloc (int, int, int)[atom.Degree];
        for (int i = 0; i < atom.Degree; i++)
        {
            GraphLink link = graph.Links[atom.First + i];
            bool child = parentBond[link.Atom] == link.Bond;
            keys[i] = (parentBond[index] == link.Bond ? 0 : child ? 2 : 1, child ? size[link.Atom] : 0, number[link.Atom]);
        }
        bool odd = false;
        for (int i = 0; i < keys.Length; i++)
            for (int k = i + 1; k < keys.Length; k++) odd ^= keys[i].CompareTo(keys[k]) > 0;
        if (odd) molecule.Atoms[placed[index]].InvertChirality();
    }

    private void Direct()
    {
        int[] byNumber = [.. Enumerable.Range(0, graph.BondCount).Where(b => graph.Bonds[b].Stereo != BondStereo.None)];
        if (byNumber.Length == 0) return;
        Array.Sort(byNumber, (x, y) => First(x).CompareTo(First(y)));
        // Bonds whose directions also touch a double bond without stereo may make one of it: then hydrogens carry them.
        DirectAll(byNumber, _ => false);
        bool[] wrong = new bool[graph.BondCount];
        bool any = false;
        for (int b = 0; b < graph.BondCount; b++)
        {
            ref GraphBond bond = ref graph.Bonds[b];
            if (bond.Order != 2 || bond.Aromatic || bond.Stereo != BondStereo.None) continue;
            wrong[b] = HasDirection(bond.Begin) && HasDirection(bond.End);
            any |= wrong[b];
        }
        if (any) DirectAll(byNumber, atom => Touches(atom, wrong));
    }

    private (int, int) First(int bond)
    {
        int one = number[graph.Bonds[bond].Begin], other = number[graph.Bonds[bond].End];
        return (Math.Min(one, other), Math.Max(one, other));
    }

    private bool HasDirection(int atom)
    {
        ref GraphAtom end = ref graph.Atoms[atom];
        for (int i = end.First; i < end.First + end.Degree; i++)
            if (directions.ContainsKey(graph.Links[i].Bond)) return true;
        return false;
    }

    private bool Touches(int atom, bool[] wrong)
    {
        ref GraphAtom end = ref graph.Atoms[atom];
        for (int i = end.First; i < end.First + end.Degree; i++)
        {
            ref GraphAtom neighbor = ref graph.Atoms[graph.Links[i].Atom];
            for (int k = neighbor.First; k < neighbor.First + neighbor.Degree; k++)
                if (wrong[graph.Links[k].Bond]) return true;
        }
        return false;
    }

    // Bonds that share a single bond are directed from one another, so that none is said twice; each such group begins with one below.
    private void DirectAll(int[] bonds, Func<int, bool> byHydrogen)
    {
        directions.Clear();
        hydrogens.Clear();
        bool[] done = new bool[graph.BondCount];
        Queue<int> waiting = [];
        foreach (int start in bonds)
        {
            waiting.Enqueue(start);
            while (waiting.TryDequeue(out int b))
            {
                if (done[b]) continue;
                done[b] = true;
                DirectOne(b, byHydrogen);
                foreach (int end in (ReadOnlySpan<int>)[graph.Bonds[b].Begin, graph.Bonds[b].End]) EnqueueBeside(end, waiting);
            }
        }
    }

    private void EnqueueBeside(int end, Queue<int> waiting)
    {
        ref GraphAtom atom = ref graph.Atoms[end];
        List<(int Number, int Bond)> beside = [];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            if (!directions.ContainsKey(graph.Links[i].Bond)) continue;
            ref GraphAtom neighbor = ref graph.Atoms[graph.Links[i].Atom];
            for (int k = neighbor.First; k < neighbor.First + neighbor.Degree; k++)
                if (graph.Bonds[graph.Links[k].Bond].Stereo != BondStereo.None) beside.Add((number[graph.Links[k].Atom], graph.Links[k].Bond));
        }
        beside.Sort();
        foreach ((int _, int bond) in beside) waiting.Enqueue(bond);
    }

    private void DirectOne(int index, Func<int, bool> byHydrogen)
    {
        ref GraphBond bond = ref graph.Bonds[index];
        bool trans = bond.Stereo == BondStereo.Trans;
        (int one, int other) = rank[bond.Begin] < rank[bond.End] ? (bond.Begin, bond.End) : (bond.End, bond.Begin);
        (int oneReference, int otherReference) = one == bond.Begin ? (bond.BeginReference, bond.EndReference) : (bond.EndReference, bond.BeginReference);
        bool? oneUp = KnownSide(one, other, oneReference), otherUp = KnownSide(other, one, otherReference);
        bool up = oneUp ?? (otherUp is { } known ? known ^ trans : !IsFirst(one, other, oneReference));
        Share(one, other, oneReference, up);
        Share(other, one, otherReference, up ^ trans);
        if (KnownSide(one, other, oneReference) is null) Say(one, other, oneReference, up, byHydrogen);
        if (KnownSide(other, one, otherReference) is null) Say(other, one, otherReference, up ^ trans, byHydrogen);
    }

    // A single bond between two double bonds with stereo speaks for both: it must be said before either chooses another.
    private void Share(int end, int across, int reference, bool up)
    {
        ref GraphAtom atom = ref graph.Atoms[end];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            GraphLink link = graph.Links[i];
            if (link.Atom != across && !directions.ContainsKey(link.Bond) && HasStereoBond(link.Atom)) Put(end, link, link.Atom == reference ? up : !up);
        }
    }

    // The neighbour of the least number lies below, whichever the graph refers to.
    private bool IsFirst(int end, int across, int reference)
    {
        ref GraphAtom atom = ref graph.Atoms[end];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            int neighbor = graph.Links[i].Atom;
            if (neighbor != across && reference >= 0 && number[neighbor] < number[reference]) return false;
        }
        return true;
    }

    private bool HasStereoBond(int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
            if (graph.Bonds[graph.Links[i].Bond].Stereo != BondStereo.None) return true;
        return false;
    }

    private void Put(int end, GraphLink link, bool above) =>
        directions[link.Bond] = above == (graph.Bonds[link.Bond].Begin == end) ? BondDirection.Up : BondDirection.Down;

    // Where a direction that is there already puts the reference neighbour.
    private bool? KnownSide(int end, int across, int reference)
    {
        ref GraphAtom atom = ref graph.Atoms[end];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            GraphLink link = graph.Links[i];
            if (link.Atom == across || !directions.TryGetValue(link.Bond, out BondDirection direction)) continue;
            bool above = (direction == BondDirection.Up) == (graph.Bonds[link.Bond].Begin == end);
            return link.Atom == reference ? above : !above;
        }
        return null;
    }

    private void Say(int end, int across, int reference, bool up, Func<int, bool> byHydrogen)
    {
        ref GraphAtom atom = ref graph.Atoms[end];
        int best = -1, bond = -1;
        (int, int) bestKey = default;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            GraphLink link = graph.Links[i];
            if (link.Atom == across) continue;
            (int, int) key = (DoubleBonds(link.Atom), number[link.Atom]);
            if (best >= 0 && key.CompareTo(bestKey) > 0) continue;
            (best, bond, bestKey) = (link.Atom, link.Bond, key);
        }
        bool single = atom.Degree == 2 && atom.Hydrogens > 0;
        if (best < 0 || (single && byHydrogen(end)))
        {
            hydrogens[end] = best < 0 ? up : !up;
            return;
        }
        Put(end, new GraphLink { Atom = best, Bond = bond }, best == reference ? up : !up);
    }

    private int DoubleBonds(int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        int count = 0;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
            if (graph.Bonds[graph.Links[i].Bond] is { Order: 2, Aromatic: false }) count++;
        return count;
    }
}
