using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// The atoms of one SMILES in the order written, each with its outgoing edges in the order written: the form from which grammar 2.1
/// derives symbols. Arrays are kept and reused.
/// </summary>
internal sealed class StringGraph
{
    public const byte Single = 2;
    public const byte Aromatic = 3;
    public const byte Double = 4;
    public const byte Triple = 6;

    public GraphAtom[] Atoms = new GraphAtom[64];
    public GraphEdge[] Edges = new GraphEdge[96];
    public int[] AromaticEdges = new int[64]; // in order of creation
    public int[] AromaticSources = new int[64];

    public int AtomCount { get; private set; }

    public int EdgeCount { get; private set; }

    public int AromaticCount { get; private set; }

    public void Clear()
    {
        AtomCount = 0;
        EdgeCount = 0;
        AromaticCount = 0;
    }

    /// <summary>The next atom, with no bonds; the caller fills in what its text says.</summary>
    public ref GraphAtom AddAtom(int parent, int element, bool aromatic)
    {
        if (AtomCount == Atoms.Length) Array.Resize(ref Atoms, 2 * Atoms.Length);
        ref GraphAtom atom = ref Atoms[AtomCount++];
        atom.FirstEdge = -1;
        atom.LastEdge = -1;
        atom.Parent = parent;
        atom.HalfBonds = 0;
        atom.RingBonds = 0;
        atom.Charge = 0;
        atom.Isotope = -1;
        atom.Element = (byte)element;
        atom.Hydrogens = -1;
        atom.Chirality = 0;
        atom.Aromatic = aromatic;
        return ref atom;
    }

    public void AddChainBond(int source, int target, byte halfOrder, char stereo)
    {
        int edge = AddEdge(source, target, halfOrder, stereo);
        CountBond(edge, source, target, halfOrder);
    }

    /// <summary>Keeps the place of a ring bond whose other end is still to come.</summary>
    public int AddOpenRing(int source) => AddEdge(source, -1, 0, '\0');

    public void CloseRing(int open, int source, int target, byte halfOrder, char sourceStereo, char targetStereo)
    {
        int back = AddEdge(target, source, halfOrder, targetStereo);
        ref GraphEdge edge = ref Edges[open];
        edge.Target = target;
        edge.HalfOrder = halfOrder;
        edge.Stereo = sourceStereo;
        edge.Partner = back;
        Edges[back].Partner = open;
        Atoms[source].RingBonds++;
        Atoms[target].RingBonds++;
        CountBond(open, source, target, halfOrder);
    }

    public bool HasBond(int a, int b)
    {
        if (Atoms[a].Parent == b || Atoms[b].Parent == a) return true;
        if (Atoms[a].RingBonds > Atoms[b].RingBonds) (a, b) = (b, a);
        if (Atoms[a].RingBonds == 0) return false;
        for (int e = Atoms[a].FirstEdge; e >= 0; e = Edges[e].Next)
        {
            if (Edges[e].Target == b) return true;
        }
        return false;
    }

    /// <summary>Changes the order of an edge, of its ring partner, and the bond counts of the two atoms.</summary>
    public void SetOrder(int edge, int source, byte halfOrder)
    {
        ref GraphEdge e = ref Edges[edge];
        int change = halfOrder - e.HalfOrder;
        if (change == 0) return;
        e.HalfOrder = halfOrder;
        if (e.Partner >= 0) Edges[e.Partner].HalfOrder = halfOrder;
        Atoms[source].HalfBonds += change;
        Atoms[e.Target].HalfBonds += change;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int AddEdge(int source, int target, byte halfOrder, char stereo)
    {
        if (EdgeCount == Edges.Length) Array.Resize(ref Edges, 2 * Edges.Length);
        int index = EdgeCount++;
        ref GraphEdge edge = ref Edges[index];
        edge.Target = target;
        edge.Next = -1;
        edge.Partner = -1;
        edge.HalfOrder = halfOrder;
        edge.Stereo = stereo;
        ref GraphAtom atom = ref Atoms[source];
        if (atom.LastEdge < 0) atom.FirstEdge = index;
        else Edges[atom.LastEdge].Next = index;
        atom.LastEdge = index;
        return index;
    }

    private void CountBond(int edge, int source, int target, byte halfOrder)
    {
        Atoms[source].HalfBonds += halfOrder;
        Atoms[target].HalfBonds += halfOrder;
        if (halfOrder != Aromatic) return;
        if (AromaticCount == AromaticEdges.Length)
        {
            Array.Resize(ref AromaticEdges, 2 * AromaticEdges.Length);
            Array.Resize(ref AromaticSources, AromaticEdges.Length);
        }
        AromaticEdges[AromaticCount] = edge;
        AromaticSources[AromaticCount++] = source;
    }
}

/// <summary>An atom as grammar 2.1 sees it. Orders are counted in halves, so that an aromatic bond is the whole number 3.</summary>
internal struct GraphAtom
{
    public int FirstEdge;
    public int LastEdge;
    public int Parent;
    public int HalfBonds;
    public int RingBonds;
    public int Charge;
    public long Isotope; // -1: none written
    public byte Element;
    public sbyte Hydrogens; // -1: implicit, no bracket
    public byte Chirality; // 0, 1 for @, 2 for @@
    public bool Aromatic;
}

/// <summary>A bond seen from one end. A chain bond exists at the earlier atom only, a ring bond at both.</summary>
internal struct GraphEdge
{
    public int Target; // -1 while its ring is open
    public int Next;
    public int Partner; // the same ring bond at the other end; -1 for chain bonds
    public byte HalfOrder;
    public char Stereo; // '/', '\' or '\0'
}

/// <summary>The elements of the grammar.</summary>
internal static class KnownElements
{
    /// <summary>All but the last four named: nihonium, moscovium, tennessine and oganesson.</summary>
    public static bool Contains(int atomicNumber) => atomicNumber is > 0 and not (113 or 115 or 117 or 118);
}
