using System.Text;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// One order of writing a ring system as SMILES. With groups, it gives a pattern: slot k is the character (char)(k + 1), ring-closure
/// digits are local to the pattern.
/// </summary>
internal sealed class RingTraversal
{
    public const int MaximumSlots = 4;

    private readonly RingSkeleton _ring;
    private readonly bool _reversed;
    private readonly bool[] _seen;
    private readonly List<int>[] _children;
    private readonly List<int>[] _closures;
    private readonly int _last;
    private int _closureCount;

    /// <param name="ring">The ring system.</param>
    /// <param name="first">The atom to start from.</param>
    /// <param name="reversed">Turn the other way.</param>
    public RingTraversal(RingSkeleton ring, int first, bool reversed)
    {
        _ring = ring;
        First = first;
        _reversed = reversed;
        _seen = new bool[ring.AtomCount];
        _children = [.. Enumerable.Range(0, ring.AtomCount).Select(_ => new List<int>(2))];
        _closures = [.. Enumerable.Range(0, ring.AtomCount).Select(_ => new List<int>(2))];
        Visit(first, -1);
        _last = first;
        while (_children[_last].Count > 0) _last = _children[_last][^1];
    }

    public int First { get; }

    /// <summary>How well it suits these slots: an arm (slot 0) at the very end is best, then any group; brackets cost.</summary>
    public int Score(int[] slotOf)
    {
        int brackets = 0;
        for (int atom = 0; atom < slotOf.Length; atom++)
        {
            int hanging = _children[atom].Count + (slotOf[atom] >= 0 ? 1 : 0);
            if (hanging > 1) brackets += hanging - 1;
        }

        int end = slotOf[_last] == 0 ? 30 : slotOf[_last] > 0 ? 10 : 0;
        return end - (5 * brackets);
    }

    /// <param name="slotOf">Per atom, its slot or -1.</param>
    /// <param name="attached">The atom that hangs on a chain, or -1.</param>
    public string Write(int[] slotOf, int attached)
    {
        StringBuilder text = new();
        Append(text, First, slotOf, attached);
        return text.ToString();
    }

    private void Visit(int atom, int parent)
    {
        _seen[atom] = true;
        IEnumerable<int> neighbors = _ring.Neighbors(atom).Select(b => b.Atom);
        foreach (int next in neighbors.OrderBy(n => _ring.Neighbors(n).Count > 1).ThenBy(n => _reversed ? -n : n))
        {
            if (next == parent) continue;
            if (!_seen[next])
            {
                _children[atom].Add(next);
                Visit(next, atom);
            }
            else if (!_closures[atom].Exists(_closures[next].Contains))
            {
                _closures[next].Add(++_closureCount);
                _closures[atom].Add(_closureCount);
            }
        }
    }

    private void Append(StringBuilder text, int atom, int[] slotOf, int attached)
    {
        int slot = slotOf[atom];
        text.Append(_ring.Symbol(atom, slot >= 0 || atom == attached));
        foreach (int digit in _closures[atom]) text.Append((char)('0' + digit));
        List<int> children = _children[atom];
        if (slot >= 0)
        {
            if (children.Count > 0) text.Append('(').Append((char)(slot + 1)).Append(')');
            else text.Append((char)(slot + 1));
        }

        for (int i = 0; i < children.Count; i++)
        {
            bool isBranch = i < children.Count - 1;
            if (isBranch) text.Append('(');
            if (_ring.IsDouble(atom, children[i])) text.Append('=');
            Append(text, children[i], slotOf, attached);
            if (isBranch) text.Append(')');
        }
    }
}
