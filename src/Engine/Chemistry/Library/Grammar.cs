using System.Numerics;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// The parts of a molecule and how many of each there are, by heavy atoms and rarity. A fragment's rarity is the logarithm to base 4 of
/// its rank in its table: ranks 1-4, 5-16, 17-64, ... cost 0, 1, 2, ...; a part's is the sum over its fragments. So 4^-rarity is the
/// frequency that Zipf's law gives it.
/// </summary>
internal sealed class Grammar
{
    public const int MaximumAtoms = 27;
    public const int MaximumRarity = 10;
    private const int MaximumGroupAtoms = 8;
    private const int MaximumArmAtoms = 17;

    private static readonly Sites[] AllPlaces = [Sites.Aryl, Sites.Alkyl, Sites.Alpha, Sites.Amine, Sites.Azole];

    private readonly List<(RingSkeleton Ring, RingRole Role)> rings =
        [.. RingTable.Rings.Select(r => (new RingSkeleton(r.Smiles), r.Role))];

    private readonly Dictionary<Sites, Derivations?[,]> groups = [];
    private readonly Dictionary<(Sites, bool), Derivations?[,]> ringEnds = [];
    private readonly Dictionary<(Sites, bool), Derivations?[,]> arms = [];
    private readonly Dictionary<(string, int, int, bool), Fillings?> fillings = [];

    public Grammar()
    {
        Derivations?[,] ends = EndsOfChains();
        foreach (Sites place in AllPlaces) groups[place] = GroupsOn(place, ends);
        foreach (bool anyRing in (bool[])[false, true])
        {
            foreach (Sites place in AllPlaces) ringEnds[(place, anyRing)] = RingsHungBy(place, anyRing);
            foreach (Sites place in AllPlaces) arms[(place, anyRing)] = ArmsOn(place, anyRing);
        }
    }

    public IReadOnlyList<(RingSkeleton Ring, RingRole Role)> Rings => rings;

    /// <summary>Heavy atoms of a SMILES pattern; slots, digits, brackets and hydrogens do not count.</summary>
    public static int HeavyAtoms(string smiles) => smiles.Count(c => char.IsLetter(c) && c is not ('H' or 'l' or 'r'));

    /// <summary>
    /// The ways to fill <paramref name="list"/> from element <paramref name="from"/> on with exactly this many atoms and this rarity;
    /// null where there is none. <paramref name="anyRing"/>: arms may end in any ring, not only those of <see cref="RingRole.End"/>.
    /// </summary>
    public Fillings? Fill(Filling[] list, int from, int atoms, int rarity, bool anyRing)
    {
        string key = string.Concat(list.Skip(from).Select(f => (char)f.Key));
        if (this.fillings.TryGetValue((key, atoms, rarity, anyRing), out Fillings? known)) return known;
        Fillings fillings = new();
        Derivations?[,] parts = Parts(list[from].Slot, anyRing);
        bool last = from == list.Length - 1;
        foreach ((Derivations first, int a, int r) in Entries(parts, atoms, rarity))
        {
            if (list[from].IsPair)
            {
                foreach ((Derivations second, int a2, int r2) in Entries(parts, atoms - a, rarity - r))
                {
                    if ((a2, r2).CompareTo((a, r)) >= 0) Append(first, second, atoms - a - a2, rarity - r - r2);
                }
            }
            else
            {
                Append(first, null, atoms - a, rarity - r);
            }
        }

        return this.fillings[(key, atoms, rarity, anyRing)] = fillings.Count > 0 ? fillings : null;

        void Append(Derivations first, Derivations? second, int atomsLeft, int rarityLeft)
        {
            if (last)
            {
                if (atomsLeft == 0 && rarityLeft == 0) fillings.Add(new Split(first, second, null));
            }
            else if (Fill(list, from + 1, atomsLeft, rarityLeft, anyRing) is { } rest)
            {
                fillings.Add(new Split(first, second, rest));
            }
        }
    }

    private Derivations?[,] Parts(Slot slot, bool anyRing) => slot.IsArm ? arms[(slot.Place, anyRing)] : groups[slot.Place];

    private static IEnumerable<(Derivations Part, int Atoms, int Rarity)> Entries(Derivations?[,] parts, int atoms, int rarity)
    {
        for (int a = 1; a <= Math.Min(atoms, MaximumAtoms); a++)
        {
            for (int r = 0; r <= Math.Min(rarity, MaximumRarity); r++)
            {
                if (parts[a, r] is { } part) yield return (part, a, r);
            }
        }
    }

    private static Derivations?[,] Table() => new Derivations?[MaximumAtoms + 1, MaximumRarity + 1];

    private static void Add(Derivations?[,] table, int maximumAtoms, int atoms, int rarity, string[] patterns, Fillings? fillings)
    {
        if (atoms > maximumAtoms || rarity > MaximumRarity) return;
        (table[atoms, rarity] ??= new Derivations()).Add(new Choice(patterns, fillings));
    }

    private static int Rarity(int rank)
    {
        int rarity = 0;
        for (int last = 4; rank >= last; last *= 4) rarity++;
        return rarity;
    }

    private static Derivations?[,] EndsOfChains()
    {
        Derivations?[,] table = Table();
        for (int rank = 0; rank < SubstituentTable.Ends.Length; rank++)
        {
            string end = SubstituentTable.Ends[rank];
            Add(table, MaximumGroupAtoms, HeavyAtoms(end), Rarity(rank), [end], null);
        }

        return table;
    }

    private static Derivations?[,] GroupsOn(Sites place, Derivations?[,] ends)
    {
        Derivations?[,] table = Table();
        int rank = 0;
        foreach ((string smiles, Sites on) in SubstituentTable.Groups)
        {
            if (on.HasFlag(place)) Add(table, MaximumGroupAtoms, HeavyAtoms(smiles), Rarity(rank++), [smiles], null);
        }

        foreach ((string[] chains, int chainAtoms, int chainRarity) in ChainsFrom(place, to => !LinkerTable.EndsInCarbon(to)))
        {
            foreach ((Derivations end, int atoms, int rarity) in Entries(ends, MaximumAtoms, MaximumRarity))
                Add(table, MaximumGroupAtoms, chainAtoms + atoms, chainRarity + rarity, chains, end.Alone);
        }

        return table;
    }

    private Derivations?[,] RingsHungBy(Sites place, bool anyRing)
    {
        Derivations?[,] table = Table();
        int rank = 0;
        foreach ((RingSkeleton ring, RingRole role) in rings)
        {
            if ((role != RingRole.End && !anyRing) || !ring.Places.Contains(place)) continue;
            int ringRarity = BitOperations.Log2((uint)++rank);
            int most = ring.IsFused ? 1 : 2;
            for (int groups = 0; groups <= most; groups++)
            {
                // A second group is as rare as one step down the table.
                foreach (PlacementSet set in PlacementSet.Of(ring, place, 0, groups))
                    AddFilled(table, MaximumArmAtoms, set, ring.AtomCount, ringRarity + groups / 2, anyRing);
            }
        }

        return table;
    }

    private void AddFilled(Derivations?[,] table, int maximumAtoms, PlacementSet set, int atoms, int rarity, bool anyRing)
    {
        if (set.Fillings.Length == 0)
        {
            Add(table, maximumAtoms, atoms, rarity, set.Patterns, null);
            return;
        }

        for (int a = 1; atoms + a <= maximumAtoms; a++)
        {
            for (int r = 0; rarity + r <= MaximumRarity; r++)
            {
                if (Fill(set.Fillings, 0, a, r, anyRing) is { } fillings)
                    Add(table, maximumAtoms, atoms + a, rarity + r, set.Patterns, fillings);
            }
        }
    }

    private Derivations?[,] ArmsOn(Sites place, bool anyRing)
    {
        Derivations?[,] table = Table();
        foreach (Sites end in AllPlaces)
        {
            List<(string[] Chains, int Atoms, int Rarity)> links = [.. ChainsFrom(place, to => to.HasFlag(end))];
            links.AddRange(LinkerTable.Bonds.Where(b => b.From.HasFlag(place) && b.To.HasFlag(end))
                .Select(b => (Slotted([b.Smiles]), 0, 0)));
            foreach ((string[] chains, int chainAtoms, int chainRarity) in links)
            {
                foreach ((Derivations ring, int atoms, int rarity) in Entries(ringEnds[(end, anyRing)], MaximumAtoms, MaximumRarity))
                    Add(table, MaximumArmAtoms, chainAtoms + atoms, chainRarity + rarity, chains, ring.Alone);
            }
        }

        return table;
    }

    /// <summary>The chains that start on <paramref name="place"/> and may end as asked, those of one size and rarity together.</summary>
    private static IEnumerable<(string[] Chains, int Atoms, int Rarity)> ChainsFrom(Sites place, Func<Sites, bool> endsAsAsked) =>
        LinkerTable.Linkers.Where(l => l.From.HasFlag(place))
            .Select((l, rank) => (l.Smiles, l.To, Atoms: HeavyAtoms(l.Smiles), Rarity: Rarity(rank)))
            .Where(l => endsAsAsked(l.To))
            .GroupBy(l => (l.Atoms, l.Rarity))
            .Select(g => (Slotted(g.Select(l => l.Smiles)), g.Key.Atoms, g.Key.Rarity));

    private static string[] Slotted(IEnumerable<string> chains) => [.. chains.Select(c => c + '\u0001')];
}
