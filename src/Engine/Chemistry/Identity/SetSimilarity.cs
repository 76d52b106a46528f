using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>Figures of two sets of molecules (Polykovskiy et al. 2020, MOSES, doi 10.3389/fphar.2020.565644).</summary>
internal static class SetSimilarity
{
    /// <summary>Internal diversity: 1 less the mean Tanimoto similarity of all ordered pairs, a molecule with itself included; and 1 less the root of its mean square.</summary>
    public static (double First, double Second) Diversity(MoleculeSample sample, int molecules, int threads, CancellationToken stop)
    {
        double[] sums = new double[molecules], squares = new double[molecules];
        int[] counts = Counts(sample, molecules);
        Parallel.For(0, molecules, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, i =>
        {
            ReadOnlySpan<ulong> one = sample.Fingerprint(i);
            double sum = 0, square = 0;
            for (int k = 0; k < i; k++)
            {
                int common = Common(one, sample.Fingerprint(k)), either = counts[i] + counts[k] - common;
                double similarity = either == 0 ? 1 : (double)common / either;
                sum += similarity;
                square += similarity * similarity;
            }
            sums[i] = 2 * sum + 1;
            squares[i] = 2 * square + 1;
        });
        double pairs = (double)molecules * molecules;
        return (1 - sums.Sum() / pairs, 1 - Math.Sqrt(squares.Sum() / pairs));
    }

    /// <summary>Mean similarity of each molecule's nearest neighbour in another set.</summary>
    public static double NearestNeighbors(MoleculeSample sample, int molecules, MoleculeSample other, int threads, CancellationToken stop)
    {
        // By bits, those of like counts first: no more can be common than the smaller of two counts.
        int[] counts = Counts(sample, molecules), otherCounts = Counts(other, other.Molecules.Count), order = [.. Enumerable.Range(0, otherCounts.Length)];
        Array.Sort((int[])otherCounts.Clone(), order);
        ulong[] sorted = new ulong[other.Fingerprints.Length];
        for (int i = 0; i < order.Length; i++) other.Fingerprint(order[i]).CopyTo(sorted.AsSpan(i * CircularFingerprint.Words));
        Array.Sort(otherCounts);
        int[] starts = Starts(otherCounts);
        Vector128<byte>[] words = [.. Enumerable.Range(0, order.Length).Select(i => WordCounts(sorted.AsSpan(i * CircularFingerprint.Words, CircularFingerprint.Words)))];
        double[] best = new double[molecules];
        Parallel.For(0, molecules, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, i =>
            best[i] = Nearest(sample.Fingerprint(i), counts[i], sorted, starts, words));
        return best.Sum() / molecules;
    }

    /// <summary>Cosine of the counts of scaffolds with two rings or more.</summary>
    public static double? Scaffolds(MoleculeSample sample, MoleculeSample other)
    {
        Dictionary<MoleculeKey, long> one = Count(sample), two = Count(other);
        double product = one.Sum(entry => (double)entry.Value * two.GetValueOrDefault(entry.Key));
        double norms = Math.Sqrt(one.Values.Sum(v => (double)v * v)) * Math.Sqrt(two.Values.Sum(v => (double)v * v));
        return norms > 0 ? product / norms : null;

        static Dictionary<MoleculeKey, long> Count(MoleculeSample of) => of.Molecules.Where(m => m.Scaffold is not null && m.Figures.Rings >= 2)
            .GroupBy(m => m.Scaffold!.Value).ToDictionary(group => group.Key, group => group.LongCount());
    }

    /// <summary>Where those of each count of bits begin among the sorted; one more.</summary>
    private static int[] Starts(int[] sortedCounts)
    {
        int[] starts = new int[64 * CircularFingerprint.Words + 2];
        foreach (int count in sortedCounts) starts[count + 1]++;
        for (int count = 1; count < starts.Length; count++) starts[count] += starts[count - 1];
        return starts;
    }

    private static double Nearest(ReadOnlySpan<ulong> one, int count, ulong[] sorted, int[] starts, Vector128<byte>[] words)
    {
        Vector128<byte> mine = WordCounts(one);
        bool isNarrow = count <= byte.MaxValue;
        double best = 0;
        for (int above = count, below = count - 1; ;)
        {
            double high = above < starts.Length - 1 ? Bound(count, above) : -1, low = below >= 0 ? Bound(count, below) : -1;
            if (Math.Max(high, low) <= best) return best;
            int bits = high >= low ? above++ : below--, either = count + bits, needed = Needed(best, either);
            for (int at = starts[bits]; at < starts[bits + 1]; at++)
            {
                // Word by word, no more can be common than the smaller of two counts: few neighbours need their bits compared.
                if (isNarrow && Vector128.Sum(Vector128.Min(mine, words[at])) < needed) continue;
                int common = Common(one, sorted.AsSpan(at * CircularFingerprint.Words, CircularFingerprint.Words));
                if (common < needed) continue;
                best = either == common ? 1 : (double)common / (either - common);
                needed = Needed(best, either);
            }
        }
    }

    /// <summary>Fewest common bits that are more similar than the best: c / (n - c) > best. The quotient is a whole number or at least a 2,048th from one.</summary>
    private static int Needed(double best, int both) => best == 0 ? 0 : (int)(best * both / (1 + best) + 1e-9) + 1;

    private static Vector128<byte> WordCounts(ReadOnlySpan<ulong> bits)
    {
        Span<byte> counts = stackalloc byte[CircularFingerprint.Words];
        for (int i = 0; i < counts.Length; i++) counts[i] = (byte)BitOperations.PopCount(bits[i]);
        return Vector128.Create<byte>(counts);
    }

    private static double Bound(int one, int other) => one == other ? 1 : (double)Math.Min(one, other) / Math.Max(one, other);

    private static int Common(ReadOnlySpan<ulong> one, ReadOnlySpan<ulong> other)
    {
        ref ulong a = ref MemoryMarshal.GetReference(one);
        ref ulong b = ref MemoryMarshal.GetReference(other);
        int even = 0, odd = 0;
        for (int i = 0; i < CircularFingerprint.Words; i += 2)
        {
            even += BitOperations.PopCount(Unsafe.Add(ref a, i) & Unsafe.Add(ref b, i));
            odd += BitOperations.PopCount(Unsafe.Add(ref a, i + 1) & Unsafe.Add(ref b, i + 1));
        }
        return even + odd;
    }

    private static int[] Counts(MoleculeSample sample, int molecules) =>
        [.. Enumerable.Range(0, molecules).Select(i => Common(sample.Fingerprint(i), sample.Fingerprint(i)))];
}

/// <summary>How far two distributions of one quantity lie apart.</summary>
internal static class Distances
{
    /// <summary>What a value that one side lacks counts there, so that the divergence stays finite.</summary>
    public const double Absent = 1e-10;

    /// <summary>Wasserstein's first distance of two samples, in the unit of their values.</summary>
    public static double Wasserstein(IEnumerable<double> one, IEnumerable<double> other)
    {
        double[] a = [.. one.Order()], b = [.. other.Order()];
        double sum = 0, last = 0;
        bool any = false;
        for (int i = 0, k = 0; i < a.Length || k < b.Length;)
        {
            double next = i < a.Length && (k == b.Length || a[i] <= b[k]) ? a[i] : b[k];
            if (any) sum += (next - last) * Math.Abs((double)i / a.Length - (double)k / b.Length);
            while (i < a.Length && a[i] == next) i++;
            while (k < b.Length && b[k] == next) k++;
            (last, any) = (next, true);
        }
        return sum;
    }

    /// <summary>Kullback and Leibler's divergence of the reference's shares from the generated ones, nats.</summary>
    public static double Divergence<TKey>(IReadOnlyDictionary<TKey, long> generated, IReadOnlyDictionary<TKey, long> reference)
        where TKey : notnull
    {
        TKey[] all = [.. generated.Keys.Union(reference.Keys)];
        double generatedTotal = generated.Values.Sum(), referenceTotal = reference.Values.Sum();
        double[] q = Shares(generated, generatedTotal), p = Shares(reference, referenceTotal);
        return Enumerable.Range(0, all.Length).Sum(i => p[i] * Math.Log(p[i] / q[i]));

        double[] Shares(IReadOnlyDictionary<TKey, long> counts, double total)
        {
            double[] shares = [.. all.Select(key => counts.GetValueOrDefault(key) / total + Absent)];
            double sum = shares.Sum();
            return [.. shares.Select(share => share / sum)];
        }
    }
}
