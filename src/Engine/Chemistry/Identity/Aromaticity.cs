namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// Aromatic atoms and bonds by RDKit's model (The RDKit Book, Aromaticity): each ring atom gives 0, 1 or 2 electrons to its ring or none can be
/// said; rings and fused rings of up to six whose electrons may add up to 4n + 2 are aromatic. It starts from a Kekule structure, so that it does
/// not matter how the input was written. Unlike there, a bond inside an aromatic union is aromatic too: its order depends on the Kekule structure.
/// Wildcard atoms take no part.
/// </summary>
internal sealed class Aromaticity
{
    private const int LargestFusedRing = 24;
    private const int MostFused = 6;

    private Donor[] donors = new Donor[64];
    private bool[] known = new bool[64];
    private byte[] met = new byte[64], metBonds = new byte[64];
    private readonly List<int> candidates = [], system = [], union = [];
    private readonly HashSet<int> done = [];

    public void Perceive(MolecularGraph graph, RingSearch rings)
    {
        if (rings.Count == 0) return;
        if (donors.Length < graph.AtomCount) (donors, known, met) = (new Donor[2 * graph.AtomCount], new bool[2 * graph.AtomCount], new byte[2 * graph.AtomCount]);
        if (metBonds.Length < graph.BondCount) metBonds = new byte[2 * graph.BondCount];
        Array.Clear(known, 0, graph.AtomCount);
        candidates.Clear();
        for (int r = 0; r < rings.Count; r++)
            if (IsCandidate(graph, rings.AtomsOf(r))) candidates.Add(r);
        while (candidates.Count > 0)
        {
            TakeSystem(rings);
            Apply(graph, rings);
        }
    }

    // One fused system of candidates: rings that share exactly one bond with another.
    private void TakeSystem(RingSearch rings)
    {
        system.Clear();
        system.Add(candidates[0]);
        candidates.RemoveAt(0);
        for (int i = 0; i < system.Count; i++)
        {
            for (int k = 0; k < candidates.Count; k++)
            {
                if (!AreFused(rings, system[i], candidates[k])) continue;
                system.Add(candidates[k]);
                candidates.RemoveAt(k--);
            }
        }
    }

    private static bool AreFused(RingSearch rings, int one, int other)
    {
        ReadOnlySpan<int> a = rings.BondsOf(one), b = rings.BondsOf(other);
        if (a.Length > LargestFusedRing || b.Length > LargestFusedRing) return false;
        int shared = 0;
        foreach (int bond in a)
            if (b.Contains(bond)) shared++;
        return shared == 1;
    }

    private void Apply(MolecularGraph graph, RingSearch rings)
    {
        done.Clear();
        int total = 0;
        foreach (int r in system)
        {
            foreach (int b in rings.BondsOf(r))
                if (metBonds[b]++ == 0) total++;
        }
        foreach (int r in system)
            foreach (int b in rings.BondsOf(r)) metBonds[b] = 0;
        foreach (int r in system) TryUnion(graph, rings, [r]);
        if (system.Count == 1 || done.Count >= total) return;
        bool[,] fused = new bool[system.Count, system.Count];
        for (int i = 0; i < system.Count; i++)
            for (int k = 0; k < i; k++) fused[i, k] = fused[k, i] = AreFused(rings, system[i], system[k]);

        // Connected sets of rings, one size after another; beyond 64 rings only pairs.
        HashSet<ulong> sets = [];
        int most = system.Count > 64 ? 2 : Math.Min(system.Count, MostFused);
        for (int i = 0; i < Math.Min(system.Count, 64); i++) sets.Add(1UL << i);
        Span<int> members = stackalloc int[MostFused];
        if (system.Count > 64)
        {
            for (int i = 0; i < system.Count; i++)
                for (int k = 0; k < i; k++)
                    if (fused[i, k]) TryUnion(graph, rings, [system[i], system[k]]);
            return;
        }
        for (int size = 2; size <= most && done.Count < total; size++)
        {
            HashSet<ulong> larger = [];
            foreach (ulong set in sets)
            {
                for (int i = 0; i < system.Count; i++)
                {
                    if ((set >> i & 1) != 0) continue;
                    for (int k = 0; k < system.Count; k++)
                        if ((set >> k & 1) != 0 && fused[i, k]) larger.Add(set | 1UL << i);
                }
            }
            foreach (ulong set in larger)
            {
                int count = 0;
                for (int i = 0; i < system.Count; i++)
                    if ((set >> i & 1) != 0) members[count++] = system[i];
                TryUnion(graph, rings, members[..count]);
            }
            sets = larger;
        }
    }

    // Atoms of three rings of a union lie inside it and give nothing; bonds of two rings count as found only once one of them is aromatic.
    private void TryUnion(MolecularGraph graph, RingSearch rings, ReadOnlySpan<int> members)
    {
        union.Clear();
        foreach (int r in members)
            foreach (int a in rings.AtomsOf(r))
                if (met[a]++ == 0) union.Add(a);
        int lowest = 0, highest = 0;
        foreach (int a in union)
        {
            if (met[a] > 2) continue;
            Donor donor = donors[a];
            lowest += donor is Donor.One or Donor.OneOrTwo ? 1 : donor == Donor.Two ? 2 : 0;
            highest += donor == Donor.One ? 1 : donor is Donor.Two or Donor.OneOrTwo ? 2 : 0;
        }
        foreach (int a in union) met[a] = 0;
        bool aromatic = highest == 2;
        if (highest >= 6)
            for (int electrons = lowest; electrons <= highest; electrons++) aromatic |= (electrons - 2) % 4 == 0;
        if (!aromatic) return;
        foreach (int a in union) graph.Atoms[a].Aromatic = true;
        foreach (int r in members)
            foreach (int b in rings.BondsOf(r)) metBonds[b]++;
        foreach (int r in members)
        {
            foreach (int b in rings.BondsOf(r))
            {
                if (metBonds[b] == 1) done.Add(b);
                metBonds[b] = 0;
                graph.Bonds[b].Aromatic = graph.Bonds[b].Order < 3;
            }
        }
    }

    private bool IsCandidate(MolecularGraph graph, ReadOnlySpan<int> ring)
    {
        bool all = true;
        foreach (int a in ring)
        {
            if (!known[a])
            {
                known[a] = true;
                donors[a] = ElectronDonation.Of(graph, a);
            }
            all &= donors[a] != Donor.None;
        }
        return all;
    }
}

/// <summary>How many pi electrons an atom gives to a ring.</summary>
internal enum Donor : byte
{
    /// <summary>It cannot lie on an aromatic ring.</summary>
    None,
    Vacant,
    One,
    Two,
    OneOrTwo,
}

/// <summary>RDKit's rules of what a ring atom gives, on a Kekule structure.</summary>
internal static class ElectronDonation
{
    public static Donor Of(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        if (atom.Element is 0 or > 18 and not 34 and not 52) return Donor.None;
        int valence = DefaultValence(atom.Element), total = atom.OrderSum + atom.Hydrogens, degree = atom.Degree + atom.Hydrogens;
        if (valence <= 1 || degree > 3) return Donor.None;
        int charged = DefaultValence(atom.Element - atom.Charge);
        if (total > charged) return Donor.None;
        int radicals = Radicals(atom.Element, atom.Charge, total);
        if (radicals > 0 && (atom.Element != 6 || atom.Charge != 0)) return Donor.None;
        int exocyclic = -1, multiple = 0;
        bool cyclic = false;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            ref GraphBond bond = ref graph.Bonds[graph.Links[i].Bond];
            if (bond.Order < 2) continue;
            multiple++;
            cyclic |= bond.InRing;
            if (!bond.InRing && exocyclic < 0) exocyclic = graph.Links[i].Atom;
        }
        if (multiple > 1 && atom.OrderSum - atom.Degree > 1) return Donor.None;
        int electrons = valence - degree + Math.Max(OuterElectrons(atom.Element) - valence - atom.Charge, 0) - radicals;
        if (electrons > 1 && atom.OrderSum - atom.Degree > 1) electrons = 1;
        if (electrons < 0) return Donor.None;
        bool stolen = exocyclic >= 0 && IsMoreElectronegative(graph.Atoms[exocyclic].Element, atom.Element);
        if (electrons == 0) return exocyclic >= 0 ? Donor.Vacant : cyclic ? Donor.One : Donor.None;
        if (electrons == 1)
        {
            if (exocyclic >= 0) return stolen ? Donor.Vacant : Donor.One;
            return multiple > 0 ? Donor.One : atom.Charge == 1 ? Donor.Vacant : Donor.None;
        }
        if (stolen) electrons--;
        return electrons % 2 == 1 ? Donor.One : Donor.Two;
    }

    // Elements that may be aromatic, and those that they become by a charge.
    private static int DefaultValence(int element) => element switch
    {
        1 or 3 or 9 or 11 or 17 or 19 or 35 or 53 => 1,
        4 or 8 or 12 or 16 or 34 or 52 => 2,
        5 or 7 or 13 or 15 or 33 or 51 => 3,
        6 or 14 or 32 or 50 => 4,
        _ => 0,
    };

    private static int OuterElectrons(int element) => element switch
    {
        1 or 3 or 11 or 19 or 37 or 55 => 1,
        2 or 4 or 12 or 20 or 38 or 56 => 2,
        5 or 13 or 31 or 49 or 81 => 3,
        6 or 14 or 32 or 50 or 82 => 4,
        7 or 15 or 33 or 51 or 83 => 5,
        8 or 16 or 34 or 52 or 84 => 6,
        9 or 17 or 35 or 53 or 85 => 7,
        10 or 18 or 36 or 54 or 86 => 8,
        >= 21 and <= 30 => element - 18,
        >= 39 and <= 48 => element - 36,
        >= 72 and <= 80 => element - 68,
        _ => 3,
    };

    private static bool IsMoreElectronegative(int one, int other)
    {
        int a = OuterElectrons(one), b = OuterElectrons(other);
        return a > b || (a == b && one < other);
    }

    private static int Radicals(int element, int charge, int total)
    {
        int outer = OuterElectrons(element), radicals = 8 - outer - total + charge;
        if (radicals < 0)
        {
            radicals = 0;
            foreach (int valence in element switch { 15 or 33 => (ReadOnlySpan<int>)[3, 5, 7], 16 or 34 or 52 => [2, 4, 6], _ => [] })
            {
                if (valence - total + charge < 0) continue;
                radicals = valence - total + charge;
                break;
            }
        }
        int earlier = outer - total - charge;
        return earlier >= 0 ? Math.Min(radicals, earlier) : radicals;
    }
}
