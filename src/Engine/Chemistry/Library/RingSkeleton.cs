using System.Text;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// The graph of one ring system of <see cref="RingTable"/>: atoms, bonds, the kind of place each atom offers, and the automorphisms
/// that decide which placements of groups are the same molecule.
/// </summary>
internal sealed class RingSkeleton
{
    private readonly List<string> atoms = [];
    private readonly List<List<(int Atom, bool Double)>> bonds = [];

    public RingSkeleton(string smiles)
    {
        Smiles = smiles;
        Parse(smiles);
        Places = [.. Enumerable.Range(0, atoms.Count).Select(PlaceOf)];
        Automorphisms = [];
        Extend(new int[atoms.Count], 0, new bool[atoms.Count]);
        Traversals =
        [
            .. Enumerable.Range(0, atoms.Count).Where(a => bonds[a].Count == 2)
                .SelectMany(a => (RingTraversal[])[new RingTraversal(this, a, false), new RingTraversal(this, a, true)]),
        ];
    }

    public string Smiles { get; }

    public int AtomCount => atoms.Count;

    /// <summary>Per atom, the kind of place it offers; <see cref="Sites.None"/> where it takes no group.</summary>
    public Sites[] Places { get; }

    /// <summary>Every map atom -> atom that keeps symbols and bonds, the identity included.</summary>
    public List<int[]> Automorphisms { get; }

    /// <summary>The ways to write the ring, from every atom that is in one ring only, both ways round.</summary>
    public RingTraversal[] Traversals { get; }

    /// <summary>Two rings sharing atoms, or one.</summary>
    public bool IsFused => bonds.Sum(b => b.Count) / 2 > atoms.Count;

    public IReadOnlyList<(int Atom, bool Double)> Neighbors(int atom) => bonds[atom];

    public bool IsDouble(int atom, int neighbor) => bonds[atom].Contains((neighbor, true));

    /// <summary>The symbol of an atom, as written with or without a group on it: [nH] loses its hydrogen.</summary>
    public string Symbol(int atom, bool substituted) => substituted && atoms[atom] == "[nH]" ? "n" : atoms[atom];

    private void Parse(string smiles)
    {
        Dictionary<char, int> open = [];
        Stack<int> branches = [];
        int previous = -1;
        bool isDouble = false;
        for (int i = 0; i < smiles.Length; i++)
        {
            char c = smiles[i];
            if (c == '=') isDouble = true;
            else if (c == '(') branches.Push(previous);
            else if (c == ')') previous = branches.Pop();
            else if (char.IsDigit(c))
            {
                if (open.Remove(c, out int other)) Bond(other, previous, false);
                else open[c] = previous;
            }
            else
            {
                string symbol = c == '[' ? smiles[i..(smiles.IndexOf(']', i) + 1)] : c.ToString();
                i += symbol.Length - 1;
                atoms.Add(symbol);
                bonds.Add([]);
                if (previous >= 0) Bond(previous, atoms.Count - 1, isDouble);
                previous = atoms.Count - 1;
                isDouble = false;
            }
        }
    }

    private void Bond(int a, int b, bool isDouble)
    {
        bonds[a].Add((b, isDouble));
        bonds[b].Add((a, isDouble));
    }

    private Sites PlaceOf(int atom)
    {
        if (bonds[atom].Count != 2) return Sites.None;
        int hetero = bonds[atom].Count(b => atoms[b.Atom] is not ("c" or "C"));
        return atoms[atom] switch
        {
            "c" => Sites.Aryl,
            "[nH]" => Sites.Azole,
            "C" when hetero == 0 => Sites.Alkyl,
            "C" when hetero == 1 => Sites.Alpha,
            "N" => bonds[atom].Any(b => IsCarbonyl(b.Atom)) ? Sites.Azole : Sites.Amine,
            _ => Sites.None,
        };
    }

    private bool IsCarbonyl(int atom) => bonds[atom].Any(b => b.Double);

    private void Extend(int[] map, int atom, bool[] used)
    {
        if (atom == map.Length)
        {
            Automorphisms.Add([.. map]);
            return;
        }

        for (int image = 0; image < map.Length; image++)
        {
            if (used[image] || atoms[image] != atoms[atom] || bonds[image].Count != bonds[atom].Count) continue;
            if (!bonds[atom].All(b => b.Atom >= atom || bonds[image].Contains((map[b.Atom], b.Double)))) continue;
            map[atom] = image;
            used[image] = true;
            Extend(map, atom + 1, used);
            used[image] = false;
        }
    }
}

/// <summary>
/// One order of writing a ring system as SMILES. With groups, it gives a pattern: slot k is the character (char)(k + 1), ring-closure
/// digits are local to the pattern.
/// </summary>
internal sealed class RingTraversal
{
    public const int MaximumSlots = 4;

    private readonly RingSkeleton ring;
    private readonly bool reversed;
    private readonly bool[] seen;
    private readonly List<int>[] children;
    private readonly List<int>[] closures;
    private readonly int last;
    private int closureCount;

    /// <param name="ring">The ring system.</param>
    /// <param name="first">The atom to start from.</param>
    /// <param name="reversed">Turn the other way.</param>
    public RingTraversal(RingSkeleton ring, int first, bool reversed)
    {
        this.ring = ring;
        First = first;
        this.reversed = reversed;
        seen = new bool[ring.AtomCount];
        children = [.. Enumerable.Range(0, ring.AtomCount).Select(_ => new List<int>(2))];
        closures = [.. Enumerable.Range(0, ring.AtomCount).Select(_ => new List<int>(2))];
        Visit(first, -1);
        last = first;
        while (children[last].Count > 0) last = children[last][^1];
    }

    public int First { get; }

    /// <summary>How well it suits these slots: an arm (slot 0) at the very end is best, then any group; brackets cost.</summary>
    public int Score(int[] slotOf)
    {
        int brackets = 0;
        for (int atom = 0; atom < slotOf.Length; atom++)
        {
            int hanging = children[atom].Count + (slotOf[atom] >= 0 ? 1 : 0);
            if (hanging > 1) brackets += hanging - 1;
        }

        int end = slotOf[last] == 0 ? 30 : slotOf[last] > 0 ? 10 : 0;
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
        seen[atom] = true;
        IEnumerable<int> neighbors = ring.Neighbors(atom).Select(b => b.Atom);
        foreach (int next in neighbors.OrderBy(n => ring.Neighbors(n).Count > 1).ThenBy(n => reversed ? -n : n))
        {
            if (next == parent) continue;
            if (!seen[next])
            {
                children[atom].Add(next);
                Visit(next, atom);
            }
            else if (!closures[atom].Exists(closures[next].Contains))
            {
                closures[next].Add(++closureCount);
                closures[atom].Add(closureCount);
            }
        }
    }

    private void Append(StringBuilder text, int atom, int[] slotOf, int attached)
    {
        int slot = slotOf[atom];
        text.Append(ring.Symbol(atom, slot >= 0 || atom == attached));
        foreach (int digit in closures[atom]) text.Append((char)('0' + digit));
        List<int> children = this.children[atom];
        if (slot >= 0)
        {
            if (children.Count > 0) text.Append('(').Append((char)(slot + 1)).Append(')');
            else text.Append((char)(slot + 1));
        }

        for (int i = 0; i < children.Count; i++)
        {
            bool isBranch = i < children.Count - 1;
            if (isBranch) text.Append('(');
            if (ring.IsDouble(atom, children[i])) text.Append('=');
            Append(text, children[i], slotOf, attached);
            if (isBranch) text.Append(')');
        }
    }
}

/// <summary>Kinds of ring atom that can carry a group, by what chemistry allows on them.</summary>
[Flags]
internal enum Sites
{
    None = 0,

    /// <summary>Aromatic carbon.</summary>
    Aryl = 1,

    /// <summary>Saturated carbon with no heteroatom beside it.</summary>
    Alkyl = 2,

    /// <summary>Saturated carbon beside a heteroatom: a second heteroatom here would make an aminal or an acetal.</summary>
    Alpha = 4,

    /// <summary>Saturated nitrogen: takes carbon, acyl and sulfonyl, never N or O.</summary>
    Amine = 8,

    /// <summary>Aromatic or lactam nitrogen: takes carbon only.</summary>
    Azole = 16,

    Carbon = Aryl | Alkyl,
    Acylable = Aryl | Alkyl | Alpha | Amine,
    All = Acylable | Azole,
}
