using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Generation;

/// <summary>Draws a token from scores. One per sequence, seeded by the sequence's number: the batch a sequence is in does not matter.</summary>
internal sealed class TokenSampler(long seed, long sequence, double temperature, int topK)
{
    private readonly Random random = new(HashCode(seed, sequence));

    /// <param name="scores">(vocabulary); a score of minus infinity is never drawn.</param>
    public int Draw(ReadOnlySpan<double> scores)
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best]) best = i;
        if (temperature == 0) return best;

        double threshold = topK > 0 && topK < scores.Length ? KthGreatest(scores, topK) : double.NegativeInfinity;
        Span<double> weights = scores.Length <= 4096 ? stackalloc double[scores.Length] : new double[scores.Length];
        double total = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            weights[i] = scores[i] >= threshold ? Math.Exp((scores[i] - scores[best]) / temperature) : 0;
            total += weights[i];
        }
        double point = random.NextDouble() * total;
        int drawn = best;
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] <= 0) continue;
            drawn = i;
            point -= weights[i];
            if (point < 0) break;
        }
        return drawn;
    }

    private static double KthGreatest(ReadOnlySpan<double> scores, int k)
    {
        double[] sorted = scores.ToArray();
        Array.Sort(sorted);
        return sorted[^k];
    }

    /// <summary>Neighbouring sequences get unrelated streams, the same on every platform.</summary>
    private static int HashCode(long seed, long sequence) =>
        (int)(SplitMix64.Mix(unchecked((ulong)seed * SplitMix64.Step + (ulong)sequence + 0x632BE59BD9B4E019UL)) & 0x7FFFFFFF);
}
