namespace ChemScale.Engine.Chemistry;

/// <summary>
/// Atoms, bonds, and for each atom its bonds in order (which chirality refers to). One instance can hold one molecule after another
/// without allocating.
/// </summary>
public sealed class Molecule
{
    private Atom[] atoms = new Atom[64];
    private Bond[] bonds = new Bond[64];
    private Ends[] ends = new Ends[64];
    private Link[] links = new Link[128];
    private int linkCount;

    public int AtomCount { get; private set; }

    public int BondCount { get; private set; }

    public Span<Atom> Atoms => atoms.AsSpan(0, AtomCount);

    public Span<Bond> Bonds => bonds.AsSpan(0, BondCount);

    public void Clear()
    {
        AtomCount = 0;
        BondCount = 0;
        linkCount = 0;
    }

    /// <returns>The atom's index.</returns>
    public int AddAtom(in Atom atom)
    {
        if (AtomCount == atoms.Length)
        {
            Array.Resize(ref atoms, 2 * AtomCount);
            Array.Resize(ref ends, 2 * AtomCount);
        }
        atoms[AtomCount] = atom;
        ends[AtomCount] = new Ends { First = -1, Last = -1 };
        return AtomCount++;
    }

    /// <summary>Adds a bond, the last one so far of both its atoms.</summary>
    /// <returns>The bond's index.</returns>
    public int AddBond(in Bond bond) => AddBond(bond, Reserve(bond.Begin));

    /// <summary>The number of bonds of an atom.</summary>
    public int Degree(int atom) => ends[atom].Count;

    /// <summary>The sum of the orders of an atom's bonds, its hydrogens not counted.</summary>
    public int OrderSum(int atom)
    {
        int sum = 0;
        foreach (Neighbor neighbor in Neighbors(atom)) sum += (int)bonds[neighbor.Bond].Order;
        return sum;
    }

    public NeighborList Neighbors(int atom) => new(this, atom);

    /// <summary>Keeps the next place among an atom's bonds for a bond that is added later.</summary>
    internal int Reserve(int atom)
    {
        if (linkCount == links.Length) Array.Resize(ref links, 2 * linkCount);
        links[linkCount] = new Link { Bond = -1, Next = -1 };
        ref Ends end = ref ends[atom];
        if (end.Last < 0) end.First = linkCount;
        else links[end.Last].Next = linkCount;
        end.Last = linkCount;
        end.Count++;
        return linkCount++;
    }

    /// <summary>Adds a bond whose place at its first atom was reserved.</summary>
    internal int AddBond(in Bond bond, int reserved)
    {
        if (BondCount == bonds.Length) Array.Resize(ref bonds, 2 * BondCount);
        bonds[BondCount] = bond;
        int last = Reserve(bond.End);
        links[reserved].Bond = BondCount;
        links[last].Bond = BondCount;
        return BondCount++;
    }

    private struct Ends
    {
        public int First;
        public int Last;
        public int Count;
    }

    private struct Link
    {
        public int Bond;
        public int Next;
    }

    /// <summary>A bond of an atom, and the atom at its other end.</summary>
    public readonly record struct Neighbor(int Bond, int Atom);

    /// <summary>The bonds of one atom in order, for foreach.</summary>
    public struct NeighborList
    {
        private readonly Molecule molecule;
        private readonly int atom;
        private int link;
        private int next;

        internal NeighborList(Molecule molecule, int atom)
        {
            this.molecule = molecule;
            this.atom = atom;
            link = -1;
            next = molecule.ends[atom].First;
        }

        public readonly Neighbor Current
        {
            get
            {
                int bond = molecule.links[link].Bond;
                return new Neighbor(bond, molecule.bonds[bond].Other(atom));
            }
        }

        public readonly NeighborList GetEnumerator() => this;

        public bool MoveNext()
        {
            do
            {
                link = next;
                if (link < 0) return false;
                next = molecule.links[link].Next;
            }
            while (molecule.links[link].Bond < 0); // reserved, not yet added
            return true;
        }
    }
}

/// <summary>
/// Handedness of an atom: seen from its first neighbour, the others run this way. Neighbours count in the order of
/// <see cref="Molecule.Neighbors"/>; a hydrogen (or lone pair) that is no atom of the molecule counts before all of them.
/// </summary>
public enum Chirality : byte
{
    None,

    /// <summary>@ in SMILES.</summary>
    Counterclockwise,

    /// <summary>@@ in SMILES.</summary>
    Clockwise,
}

/// <summary>One atom of a <see cref="Molecule"/>.</summary>
public struct Atom
{
    /// <summary>Atomic number; 0 is the wildcard atom.</summary>
    public byte Element;

    /// <summary>Hydrogens bonded to this atom that are not atoms of the molecule.</summary>
    public byte Hydrogens;

    /// <summary>Charge in units of the elementary charge.</summary>
    public sbyte Charge;

    public Chirality Chirality;

    /// <summary>Written small in SMILES.</summary>
    public bool Aromatic;

    /// <summary>Mass number; 0: not stated.</summary>
    public ushort Isotope;

    /// <summary>Atom map number; 0: none.</summary>
    public int Map;

    /// <summary>Turns the handedness round, where there is one.</summary>
    public void InvertChirality()
    {
        if (Chirality != Chirality.None) Chirality = Chirality == Chirality.Clockwise ? Chirality.Counterclockwise : Chirality.Clockwise;
    }
}

public enum BondOrder : byte
{
    Single = 1,
    Double = 2,
    Triple = 3,
    Quadruple = 4,
}

/// <summary>Which way a single bond beside a double bond points, from <see cref="Bond.Begin"/> to <see cref="Bond.End"/>.</summary>
public enum BondDirection : byte
{
    None,

    /// <summary>/ in SMILES.</summary>
    Up,

    /// <summary>\ in SMILES.</summary>
    Down,
}

/// <summary>One bond of a <see cref="Molecule"/>.</summary>
public struct Bond
{
    public int Begin;
    public int End;

    /// <summary>In one Kekule structure where the bond is aromatic.</summary>
    public BondOrder Order;

    public BondDirection Direction;
    public bool Aromatic;

    /// <summary>Written as a pair of ring labels; the bonds that are not make up a forest.</summary>
    public bool RingClosure;

    public readonly int Other(int atom) => atom == Begin ? End : Begin;
}
