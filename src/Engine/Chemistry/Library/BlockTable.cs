using System.Numerics;
using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// Which molecules the library holds, and their numbers. A block is every molecule with one heart, one kind of placement, one number of
/// heavy atoms and one rarity. Blocks are wanted in proportion to a weight; a block cannot give more than it has, so the library takes
/// min(size, level * weight) of each, with the level that makes <see cref="Count"/>: each molecule at most once, frequent fragments
/// in more molecules. What a block does not give entirely it gives evenly spread over its ranks.
/// </summary>
internal sealed class BlockTable
{
    private const int FractionBits = 24;
    private const int BucketBits = 16;
    private const int MinimumAtoms = 10;

    /// <summary>The wanted mean; small blocks run out, so that the library's own mean is 23.6.</summary>
    private const double WantedAtoms = 20;
    private const double AtomsDeviation = 3;

    /// <summary>Share of molecules with one, two and three ring systems, and within each by number of groups on the heart.</summary>
    private static readonly (double Share, double[] ByGroups)[] Classes =
    [
        (0.06, [0, 0, 0.6, 0.4]),
        (0.54, [0.15, 0.45, 0.4]),
        (0.40, [0.45, 0.55]),
    ];

    private readonly Choice[] choices;
    private readonly ulong[] spreads;
    private readonly long[] ends;

    /// <summary>Per run of 2^<see cref="bucketShift"/> numbers, the first block that reaches into it; shortens the search.</summary>
    private readonly int[] buckets;
    private readonly int bucketShift;

    public BlockTable(long count)
    {
        Grammar grammar = new();
        List<(Choice Choice, double Weight)> blocks = [];
        for (int arms = 0; arms < Classes.Length; arms++) AddClass(grammar, arms, blocks);
        long[] taken = Fit(blocks, count);
        int[] kept = [.. Enumerable.Range(0, taken.Length).Where(i => taken[i] > 0)];
        choices = [.. kept.Select(i => blocks[i].Choice)];
        spreads = [.. kept.Select(i => (ulong)(((UInt128)blocks[i].Choice.Count << FractionBits) / (ulong)taken[i]))];
        ends = new long[kept.Length];
        for (int i = 0; i < kept.Length; i++) ends[i] = taken[kept[i]] + (i > 0 ? ends[i - 1] : 0);
        Count = ends[^1];
        bucketShift = Math.Max(0, 64 - BitOperations.LeadingZeroCount((ulong)Count) - BucketBits);
        buckets = new int[(Count >> bucketShift) + 2];
        for (int b = 0; b < buckets.Length; b++) buckets[b] = RunningTotals<Choice>.FirstAbove(ends, (long)b << bucketShift);
        NatsOfFragments = kept.Sum(i => (double)taken[i] / Count * Math.Log((double)Count / taken[i] * blocks[i].Choice.Count));
        Longest = choices.Max(c => c.Longest);
        if (Longest > VirtualLibrary.LongestSmiles) throw new InvalidOperationException($"a molecule may need {Longest} characters");
    }

    public long Count { get; }

    /// <summary>No molecule is longer than this many characters.</summary>
    public int Longest { get; }

    /// <summary>
    /// Nats per molecule of the law that the blocks are drawn from: what a model pays that knows blocks and fragments perfectly but not
    /// which ranks of a block were taken. At least ln(Count), which only a model that knows every molecule reaches.
    /// </summary>
    public double NatsOfFragments { get; }

    public int Write(long number, Span<char> smiles)
    {
        int bucket = (int)(number >> bucketShift);
        int from = buckets[bucket];
        int i = from + RunningTotals<Choice>.FirstAbove(ends.AsSpan(from, buckets[bucket + 1] - from + 1), number);
        if (i > 0) number -= ends[i - 1];
        ulong high = Math.BigMul((ulong)number, spreads[i], out ulong low);
        MoleculeWriter writer = new(smiles);
        writer.Write(in choices[i], (long)((low >> FractionBits) | (high << (64 - FractionBits))));
        return writer.Length;
    }

    private static void AddClass(Grammar grammar, int arms, List<(Choice Choice, double Weight)> blocks)
    {
        (double share, double[] byGroups) = Classes[arms];
        bool anyRing = arms == 2;
        int rank = 0;
        foreach ((RingSkeleton ring, RingRole role) in grammar.Rings)
        {
            if (arms == 1 && role != RingRole.Heart) continue;
            double ringWeight = share / (++rank + 2);
            for (int groups = 0; groups < byGroups.Length; groups++)
            {
                if (byGroups[groups] == 0) continue;
                PlacementSet[] sets = [.. PlacementSet.Of(ring, Sites.None, arms, groups)];
                double patterns = sets.Sum(s => s.Patterns.Length);
                foreach (PlacementSet set in sets)
                    AddSet(grammar, set, ring.AtomCount, anyRing, ringWeight * byGroups[groups] * set.Patterns.Length / patterns, blocks);
            }
        }
    }

    private static void AddSet(
        Grammar grammar, PlacementSet set, int ringAtoms, bool anyRing, double weight, List<(Choice Choice, double Weight)> blocks)
    {
        for (int atoms = MinimumAtoms; atoms <= Grammar.MaximumAtoms; atoms++)
        {
            double z = (atoms - WantedAtoms) / AtomsDeviation;
            List<(Choice Choice, double Mass)> byRarity = [];
            for (int rarity = 0; rarity <= Grammar.MaximumRarity; rarity++)
            {
                if (grammar.Fill(set.Fillings, 0, atoms - ringAtoms, rarity, anyRing) is not { } fillings) continue;
                Choice choice = new(set.Patterns, fillings);
                byRarity.Add((choice, choice.Count * Math.Pow(4, -rarity)));
            }

            double total = byRarity.Sum(b => b.Mass);
            foreach ((Choice choice, double mass) in byRarity) blocks.Add((choice, weight * Math.Exp(-z * z / 2) * mass / total));
        }
    }

    /// <summary>What each block gives: min(size, level * weight), summing to <paramref name="count"/> or to all there are.</summary>
    private static long[] Fit(List<(Choice Choice, double Weight)> blocks, long count)
    {
        // In order of size / weight the blocks that give all come first; the level is what is left over the weight that is left.
        int[] order = [.. Enumerable.Range(0, blocks.Count).OrderBy(i => blocks[i].Choice.Count / blocks[i].Weight)];
        double left = count;
        double weightLeft = blocks.Sum(b => b.Weight);
        double level = double.PositiveInfinity;
        foreach (int i in order)
        {
            (Choice choice, double weight) = blocks[i];
            if (choice.Count * weightLeft > left * weight)
            {
                level = left / weightLeft;
                break;
            }

            left -= choice.Count;
            weightLeft -= weight;
        }

        long[] taken = [.. blocks.Select(b => (long)Math.Min(b.Choice.Count, level * b.Weight))];
        long missing = count - taken.Sum();
        for (int i = 0; i < taken.Length && missing > 0; i++)
        {
            long more = Math.Min(missing, Math.Min(blocks[i].Choice.Count - taken[i], 1 + (taken[i] / 1000)));
            taken[i] += more;
            missing -= more;
        }

        return taken;
    }
}

/// <summary>Turns a choice and a rank into SMILES, without allocating.</summary>
internal ref struct MoleculeWriter(Span<char> output)
{
    private readonly Span<char> output = output;
    private uint openDigits;

    public int Length { get; private set; }

    public void Write(in Choice choice, long rank)
    {
        long chosen = 0;
        if (choice.Patterns.Length > 1) (rank, chosen) = Division.DivRem(rank, choice.Patterns.Length);
        SlotValues slots = default;
        int count = 0;
        for (Fillings? list = choice.Fillings; list is not null;)
        {
            ref readonly Split split = ref list.Find(ref rank);
            (long first, long second) = split.Take(ref rank);
            slots[count++] = new SlotValue(split.First, first);
            if (split.Second is not null) slots[count++] = new SlotValue(split.Second, second);
            list = split.Rest;
        }

        Fill(choice.Patterns[chosen], ref slots);
    }

    private void Fill(string pattern, ref SlotValues slots)
    {
        // Four bits for each local ring label: the digit it has in the molecule while its ring is open, else 0.
        ulong labels = 0;
        foreach (char c in pattern)
        {
            if (c >= 'A' || c == '(' || c == ')')
            {
                output[Length++] = c;
                continue;
            }

            if (c <= RingTraversal.MaximumSlots)
            {
                SlotValue slot = slots[c - 1];
                long rank = slot.Rank;
                Write(in slot.Part!.Find(ref rank), rank);
            }
            else if (char.IsAsciiDigit(c))
            {
                int shift = (c - '0') * 4;
                int digit = (int)(labels >> shift) & 15;
                if (digit == 0)
                {
                    digit = System.Numerics.BitOperations.TrailingZeroCount(~openDigits & ~1u);
                    labels |= (ulong)digit << shift;
                }
                else
                {
                    labels &= ~(15UL << shift);
                }

                openDigits ^= 1u << digit;
                output[Length++] = (char)('0' + digit);
            }
            else
            {
                output[Length++] = c;
            }
        }
    }

    private readonly record struct SlotValue(Derivations? Part, long Rank);

    [InlineArray(RingTraversal.MaximumSlots)]
    private struct SlotValues
    {
        private SlotValue first;
    }
}
