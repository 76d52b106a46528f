namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// A set of small numbers that gives them up in the order in which CPython's set does. Where a molecule leaves several atoms
/// unmatched, that order decides the Kekule structure, and so the string.
/// </summary>
internal sealed class HashOrder
{
    private const int SmallestTable = 8;
    private const int LinearProbes = 9;
    private const int PerturbShift = 5;
    private const int Empty = -1;
    private const int Removed = -2;

    private int[] table = new int[SmallestTable];
    private int[] old = new int[SmallestTable];
    private int mask = SmallestTable - 1;
    private int finger;

    public int Count { get; private set; }

    public void Clear()
    {
        mask = SmallestTable - 1;
        finger = 0;
        Count = 0;
        Array.Fill(table, Empty, 0, SmallestTable);
    }

    /// <summary>Adds a number that is not in the set; no number may be added after a <see cref="Pop"/>.</summary>
    public void Add(int number)
    {
        Insert(number);
        Count++;
        if (5 * Count >= 3 * mask) Resize();
    }

    public int Pop()
    {
        int at = finger & mask;
        while (table[at] < 0) at = at + 1 & mask;
        int number = table[at];
        table[at] = Removed;
        Count--;
        finger = at + 1;
        return number;
    }

    public void Remove(int number)
    {
        int at = Probe(number, number);
        if (at < 0) return;
        table[at] = Removed;
        Count--;
    }

    private void Insert(int number) => table[Probe(number, Empty)] = number;

    // The first slot on the number's path that holds what is wanted; -1 if the path meets an empty slot before.
    private int Probe(int number, int wanted)
    {
        int perturb = number;
        int at = number & mask;
        while (true)
        {
            int last = at + LinearProbes <= mask ? at + LinearProbes : at;
            for (int i = at; i <= last; i++)
            {
                if (table[i] == wanted) return i;
                if (table[i] == Empty) return -1;
            }
            perturb >>= PerturbShift;
            at = (int)(5L * at + 1 + perturb & mask);
        }
    }

    private void Resize()
    {
        int wanted = Count > 50000 ? 2 * Count : 4 * Count;
        int size = SmallestTable;
        while (size <= wanted) size <<= 1;
        (table, old) = (old, table);
        int oldSize = mask + 1;
        if (table.Length < size) table = new int[size];
        mask = size - 1;
        Array.Fill(table, Empty, 0, size);
        for (int i = 0; i < oldSize; i++)
        {
            if (old[i] >= 0) Insert(old[i]);
        }
    }
}
