namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// Rings wait until all atoms are derived, then form in order where both ends still have bonds free. Between atoms that are bonded
/// already, a ring raises the order of that bond instead.
/// </summary>
internal sealed class RingBonds
{
    private const int MaximumOrder = 3;

    private (int Left, int Right, char Bond)[] requests = new (int, int, char)[64];
    private (int Left, int Right, char Bond)[] formed = new (int, int, char)[64];
    private int[] nextEnds = new int[128];
    private int requestCount;
    private int formedCount;

    public void Clear() => requestCount = formedCount = 0;

    public void Request(int left, int right, char bond)
    {
        if (requestCount == requests.Length) Array.Resize(ref requests, 2 * requestCount);
        requests[requestCount++] = (left, right, bond);
    }

    public void Form(Span<DerivedAtom> atoms, ReadOnlySpan<char> texts)
    {
        for (int i = 0; i < requestCount; i++)
        {
            (int leftIndex, int rightIndex, char bond) = requests[i];
            if (leftIndex == rightIndex) continue;
            ref DerivedAtom left = ref atoms[leftIndex];
            ref DerivedAtom right = ref atoms[rightIndex];
            int free = Math.Min(left.Free, right.Free);
            if (free <= 0) continue;
            int order = BondOrder.Of(bond);
            if (order > free)
            {
                order = free;
                bond = BondOrder.Symbol(order);
            }
            if (right.Previous == leftIndex) Raise(ref right, order, texts);
            else Close(atoms, leftIndex, rightIndex, bond, order);
            left.Free -= order;
            right.Free -= order;
        }
    }

    /// <summary>Writes the bond symbol and number of every ring at an atom.</summary>
    public void Write(in DerivedAtom atom, TextBuffer smiles)
    {
        for (int end = atom.FirstRingEnd; end != DerivedAtom.None; end = nextEnds[end])
        {
            int number = (end >> 1) + 1;
            char bond = formed[end >> 1].Bond;
            if (bond != '\0') smiles.Append(bond);
            if (number < 10)
            {
                smiles.Append((char)('0' + number));
                continue;
            }
            if (number < 100) smiles.Append('%'); // and none for three digits: so the reference
            smiles.Append((long)number);
        }
    }

    private static void Raise(ref DerivedAtom right, int order, ReadOnlySpan<char> texts)
    {
        char old = right.Bond;
        if (old == '\0' && texts[right.TextStart] is '-' or '/' or '\\' or '=' or '#')
        {
            old = texts[right.TextStart++];
            right.TextLength--;
        }
        right.Bond = BondOrder.Symbol(Math.Min(order + BondOrder.Of(old), MaximumOrder));
    }

    private void Close(Span<DerivedAtom> atoms, int left, int right, char bond, int order)
    {
        for (int end = atoms[left].FirstRingEnd; end != DerivedAtom.None; end = nextEnds[end])
        {
            ref (int Left, int Right, char Bond) ring = ref formed[end >> 1];
            if (ring.Left != left || ring.Right != right) continue;
            ring.Bond = BondOrder.Symbol(Math.Min(order + BondOrder.Of(ring.Bond), MaximumOrder));
            return;
        }
        if (formedCount == formed.Length)
        {
            Array.Resize(ref formed, 2 * formedCount);
            Array.Resize(ref nextEnds, 4 * formedCount);
        }
        formed[formedCount] = (left, right, bond);
        Append(ref atoms[left], 2 * formedCount);
        Append(ref atoms[right], 2 * formedCount + 1);
        formedCount++;
    }

    private void Append(ref DerivedAtom atom, int end)
    {
        if (atom.FirstRingEnd == DerivedAtom.None) atom.FirstRingEnd = end;
        else nextEnds[atom.LastRingEnd] = end;
        atom.LastRingEnd = end;
        nextEnds[end] = DerivedAtom.None;
    }
}

/// <summary>An atom of the SMILES that a SELFIES derives, in the order of writing.</summary>
internal struct DerivedAtom
{
    public const int None = -1;

    /// <summary>Slice of the symbol table's text.</summary>
    public int TextStart;
    public int TextLength;

    /// <summary>The atom it was derived from, or <see cref="None"/>.</summary>
    public int Previous;

    /// <summary>Bonds it can still make; below zero where the derivation ended on it.</summary>
    public int Free;

    /// <summary>Last atom of the branch that opens before this one, or <see cref="None"/>.</summary>
    public int BranchEnd;

    /// <summary>Branches that end after this atom.</summary>
    public int BranchesClosed;

    /// <summary>Ring ends at this atom, first and last, or <see cref="None"/>: end 2 r + s belongs to ring r.</summary>
    public int FirstRingEnd;
    public int LastRingEnd;

    /// <summary>Symbol of the bond to the previous atom; <c>'\0'</c> where there is none.</summary>
    public char Bond;
}
