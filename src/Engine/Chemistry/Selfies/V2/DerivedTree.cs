namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>The atoms a SELFIES derives, and the rings among them.</summary>
internal sealed class DerivedTree
{
    private DerivedAtom[] atoms = new DerivedAtom[64];
    private RingEnd[] ends = new RingEnd[32]; // two a ring, the left one even
    private int[] numbers = new int[16]; // per ring, its label in the SMILES; 0: not yet written
    private Wish[] wishes = new Wish[16];
    private int[] pending = new int[32];
    private int atomCount;
    private int endCount;
    private int wishCount;

    public void Clear()
    {
        atomCount = 0;
        endCount = 0;
        wishCount = 0;
    }

    public int AddRoot(int symbol, in Symbol meaning) => Add(symbol, meaning, -1, 0);

    public int AddAtom(int symbol, in Symbol meaning, int parent, int order)
    {
        int index = Add(symbol, meaning, parent, order);
        ref DerivedAtom source = ref atoms[parent];
        if (source.LastChild < 0) source.FirstChild = index;
        else atoms[source.LastChild].Sibling = index;
        source.LastChild = index;
        source.Bonds += order;
        return index;
    }

    /// <summary>A ring is made, or not, when all atoms are there.</summary>
    public void AddRing(int left, int right, int order, char leftStereo, char rightStereo)
    {
        if (left == right) return;
        if (wishCount == wishes.Length) Array.Resize(ref wishes, 2 * wishCount);
        wishes[wishCount++] = new Wish(left, right, order, leftStereo, rightStereo);
    }

    /// <summary>First come, first served, as far as both atoms have bonds left; a ring on an existing bond raises its order.</summary>
    public void FormRings()
    {
        for (int i = 0; i < wishCount; i++)
        {
            ref Wish wish = ref wishes[i];
            ref DerivedAtom left = ref atoms[wish.Left];
            ref DerivedAtom right = ref atoms[wish.Right];
            int room = Math.Min(left.Capacity - left.Bonds, right.Capacity - right.Bonds);
            if (room <= 0) continue;
            int order = Math.Min(wish.Order, room);
            if (right.Parent == wish.Left)
            {
                int raised = Math.Min(right.Order + order, 3) - right.Order;
                right.Order += (byte)raised;
                left.Bonds += raised;
                right.Bonds += raised;
                continue;
            }
            int ring = FindRing(wish.Left, wish.Right);
            if (ring >= 0)
            {
                ref RingEnd one = ref ends[2 * ring];
                ref RingEnd other = ref ends[2 * ring + 1];
                int raised = Math.Min(one.Order + order, 3) - one.Order;
                one.Order += (byte)raised;
                other.Order += (byte)raised;
                left.Bonds += raised;
                right.Bonds += raised;
                continue;
            }
            AddEnd(wish.Left, wish.Right, order, wish.LeftStereo);
            AddEnd(wish.Right, wish.Left, order, wish.RightStereo);
        }
    }

    /// <summary>Depth first: ring bonds, then branches, then the chain. Labels are never used twice.</summary>
    public void Write(SymbolTable table, TextBuffer text)
    {
        int labels = 0;
        if (numbers.Length < endCount) numbers = new int[ends.Length];
        Array.Clear(numbers, 0, endCount / 2);
        for (int root = 0; root < atomCount; root++)
        {
            if (atoms[root].Parent >= 0) continue;
            if (root > 0) text.Append('.');
            int depth = 0;
            int current = root;
            while (true)
            {
                ref DerivedAtom atom = ref atoms[current];
                WriteBond(text, atom.Order, atom.Stereo);
                text.Append(table.Spelling(table.Symbols[atom.Symbol]));
                for (int e = atom.FirstEnd; e >= 0; e = ends[e].Next)
                {
                    WriteBond(text, ends[e].Order, ends[e].Stereo);
                    ref int number = ref numbers[e / 2];
                    if (number == 0) number = ++labels;
                    if (number >= 10) text.Append('%');
                    text.Append((long)number);
                }
                int next = atom.FirstChild;
                while (next < 0 && depth > 0)
                {
                    text.Append(')');
                    next = pending[--depth];
                }
                if (next < 0) break;
                if (atoms[next].Sibling >= 0)
                {
                    text.Append('(');
                    if (depth == pending.Length) Array.Resize(ref pending, 2 * depth);
                    pending[depth++] = atoms[next].Sibling;
                }
                current = next;
            }
        }
    }

    private static void WriteBond(TextBuffer text, byte order, char stereo)
    {
        if (order == 1)
        {
            if (stereo != '\0') text.Append(stereo);
        }
        else if (order > 1)
        {
            text.Append(order == 2 ? '=' : '#');
        }
    }

    private int Add(int symbol, in Symbol meaning, int parent, int order)
    {
        if (atomCount == atoms.Length) Array.Resize(ref atoms, 2 * atomCount);
        ref DerivedAtom atom = ref atoms[atomCount];
        atom.FirstChild = -1;
        atom.LastChild = -1;
        atom.Sibling = -1;
        atom.FirstEnd = -1;
        atom.LastEnd = -1;
        atom.Ends = 0;
        atom.Parent = parent;
        atom.Symbol = symbol;
        atom.Bonds = order;
        atom.Capacity = meaning.Capacity;
        atom.Order = (byte)order;
        atom.Stereo = meaning.LeftStereo;
        return atomCount++;
    }

    private int FindRing(int left, int right)
    {
        if (atoms[left].Ends > atoms[right].Ends) (left, right) = (right, left);
        for (int e = atoms[left].FirstEnd; e >= 0; e = ends[e].Next)
        {
            if (ends[e].Other == right) return e / 2;
        }
        return -1;
    }

    private void AddEnd(int atom, int other, int order, char stereo)
    {
        if (endCount == ends.Length) Array.Resize(ref ends, 2 * endCount);
        ref RingEnd end = ref ends[endCount];
        end.Other = other;
        end.Next = -1;
        end.Order = (byte)order;
        end.Stereo = stereo;
        ref DerivedAtom owner = ref atoms[atom];
        if (owner.LastEnd < 0) owner.FirstEnd = endCount;
        else ends[owner.LastEnd].Next = endCount;
        owner.LastEnd = endCount++;
        owner.Ends++;
        owner.Bonds += order;
    }

    private struct DerivedAtom
    {
        public int FirstChild;
        public int LastChild;
        public int Sibling;
        public int FirstEnd;
        public int LastEnd;
        public int Ends;
        public int Parent;
        public int Symbol;
        public int Bonds;
        public int Capacity;
        public byte Order; // of the bond from the parent; 0 for a root
        public char Stereo;
    }

    private struct RingEnd
    {
        public int Other;
        public int Next;
        public byte Order;
        public char Stereo;
    }

    private readonly record struct Wish(int Left, int Right, int Order, char LeftStereo, char RightStereo);
}
