using System.Text;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// Writes a ring system with numbered slots as a SMILES pattern: slot k is the character (char)(k + 1), ring-closure digits are local
/// to the pattern. The last group of a heart closes the string where the ring allows it, so that few groups need brackets.
/// </summary>
internal static class RingWriter
{
    public const int MaximumSlots = 4;

    /// <param name="ring">The ring system.</param>
    /// <param name="slotOf">Per atom, its slot or -1.</param>
    /// <param name="start">The first atom, where the ring is the end of an arm; -1 for the best start.</param>
    public static string Write(RingSkeleton ring, int[] slotOf, int start)
    {
        string best = "";
        for (int first = 0; first < ring.AtomCount; first++)
        {
            if (start >= 0 ? first != start : ring.Neighbors(first).Count != 2) continue;
            for (int turn = 0; turn < 2; turn++)
            {
                string text = new Walk(ring, slotOf, start, turn == 1).Write(first);
                if (best.Length == 0 || Score(text) > Score(best)) best = text;
            }
        }

        return best;
    }

    /// <summary>An arm (slot 0) at the very end is best, then any group; brackets are to be avoided.</summary>
    private static int Score(string text) =>
        (text[^1] == '\u0001' ? 30 : text[^1] <= MaximumSlots ? 10 : 0) - (5 * text.Count(c => c == '('));

    private sealed class Walk(RingSkeleton ring, int[] slotOf, int start, bool reversed)
    {
        private readonly StringBuilder _text = new();
        private readonly bool[] _seen = new bool[ring.AtomCount];
        private readonly List<int>[] _children = [.. Enumerable.Range(0, ring.AtomCount).Select(_ => new List<int>())];
        private readonly List<int>[] _closures = [.. Enumerable.Range(0, ring.AtomCount).Select(_ => new List<int>())];
        private int _closureCount;

        public string Write(int first)
        {
            Visit(first, -1);
            Append(first);
            return _text.ToString();
        }

        private void Visit(int atom, int parent)
        {
            _seen[atom] = true;
            IEnumerable<int> neighbors = ring.Neighbors(atom).Select(b => b.Atom).OrderBy(n => ring.Neighbors(n).Count > 1)
                .ThenBy(n => reversed ? -n : n);
            foreach (int next in neighbors)
            {
                if (next == parent) continue;
                if (!_seen[next])
                {
                    _children[atom].Add(next);
                    Visit(next, atom);
                }
                else if (!_closures[atom].Exists(_closures[next].Contains) && !_children[next].Contains(atom))
                {
                    _closures[next].Add(++_closureCount);
                    _closures[atom].Add(_closureCount);
                }
            }
        }

        private void Append(int atom)
        {
            int slot = slotOf[atom];
            _text.Append(ring.Symbol(atom, slot >= 0 || atom == start));
            foreach (int digit in _closures[atom]) _text.Append((char)('0' + digit));
            List<int> children = _children[atom];
            if (slot >= 0)
            {
                if (children.Count > 0) _text.Append('(').Append((char)(slot + 1)).Append(')');
                else _text.Append((char)(slot + 1));
            }

            for (int i = 0; i < children.Count; i++)
            {
                int child = children[i];
                bool isBranch = i < children.Count - 1;
                if (isBranch) _text.Append('(');
                if (ring.Neighbors(atom).First(b => b.Atom == child).Double) _text.Append('=');
                Append(child);
                if (isBranch) _text.Append(')');
            }
        }
    }
}
