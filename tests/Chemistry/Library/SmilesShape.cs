namespace ChemScale.Tests.Chemistry.Library;

/// <summary>
/// A second, small reader for the SMILES that the library writes, written apart from the engine's: atoms with their valence, bonds,
/// rings. It refuses what it does not know.
/// </summary>
internal sealed class SmilesShape
{
    private static readonly Dictionary<string, int> MaximumValence = new()
    {
        ["C"] = 4,
        ["N"] = 3,
        ["O"] = 2,
        ["S"] = 6,
        ["F"] = 1,
        ["Cl"] = 1,
        ["Br"] = 1,
        ["[N+]"] = 4,
        ["[O-]"] = 1,
        ["c"] = 3,
        ["n"] = 3,
        ["o"] = 2,
        ["s"] = 2,
        ["[nH]"] = 2,
    };

    private readonly List<string> atoms = [];
    private readonly List<(int A, int B, int Order)> bonds = [];

    public SmilesShape(string smiles)
    {
        Dictionary<char, int> open = [];
        Stack<int> branches = [];
        int previous = -1;
        int order = 0;
        for (int i = 0; i < smiles.Length; i++)
        {
            char c = smiles[i];
            if ("-=#".Contains(c)) order = "-=#".IndexOf(c) + 1;
            else if (c == '(') branches.Push(previous);
            else if (c == ')') previous = branches.Pop();
            else if (char.IsAsciiDigit(c))
            {
                if (open.Remove(c, out int other)) Bond(other, previous, 0);
                else open.Add(c, previous);
                order = 0;
            }
            else
            {
                int length = c == '[' ? smiles.IndexOf(']', i) - i + 1 : smiles.AsSpan(i).StartsWith("Cl") || c == 'B' ? 2 : 1;
                atoms.Add(smiles.Substring(i, length));
                i += length - 1;
                if (previous >= 0) Bond(previous, atoms.Count - 1, order);
                previous = atoms.Count - 1;
                order = 0;
            }
        }

        if (open.Count + branches.Count + order > 0) throw new FormatException($"unbalanced: {smiles}");
    }

    public int Atoms => atoms.Count;

    public int Rings => bonds.Count - atoms.Count + 1;

    /// <summary>
    /// Atoms of unknown symbol or over their valence, pairs of atoms bound twice, aromatic atoms with fewer than two aromatic bonds.
    /// </summary>
    public IEnumerable<string> Faults()
    {
        int[] valence = new int[atoms.Count];
        int[] aromatic = new int[atoms.Count];
        bool[] hasDouble = new bool[atoms.Count];
        foreach ((int a, int b, int order) in bonds)
        {
            valence[a] += Math.Max(1, order);
            valence[b] += Math.Max(1, order);
            hasDouble[a] |= order == 2;
            hasDouble[b] |= order == 2;
            if (order != 0 || !IsAromatic(a) || !IsAromatic(b)) continue;
            aromatic[a]++;
            aromatic[b]++;
        }

        for (int i = 0; i < atoms.Count; i++)
        {
            // An exocyclic double bond takes the place of an aromatic carbon's share of the ring's.
            int allowed = MaximumValence.GetValueOrDefault(atoms[i], -1) + (atoms[i] == "c" && hasDouble[i] ? 1 : 0);
            if (valence[i] > allowed) yield return $"{atoms[i]} at {i} has valence {valence[i]}";
            if (IsAromatic(i) && aromatic[i] < 2) yield return $"{atoms[i]} at {i} is in no aromatic ring";
        }

        if (bonds.Select(b => (Math.Min(b.A, b.B), Math.Max(b.A, b.B))).Distinct().Count() < bonds.Count) yield return "double closure";
    }

    private bool IsAromatic(int atom) => char.IsLower(atoms[atom].TrimStart('[')[0]);

    private void Bond(int a, int b, int order) => bonds.Add((a, b, order));
}
