using ChemScale.Engine.Models;
using ChemScale.Engine.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Generation;

/// <summary>One sequence drawn; Ids hold neither the start nor the end token. Finished: the end token came in time.</summary>
internal sealed record GeneratedSequence(int[] Ids, bool Finished);

/// <summary>Draws token sequences from a ChemGPT.</summary>
internal static class SequenceGenerator
{
    /// <param name="model">In any precision, on any device.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="prompt">Ids that every sequence starts with, after the start token; part of the result.</param>
    /// <param name="startId">The start token, [CLS].</param>
    /// <param name="endId">The end token, [SEP].</param>
    /// <param name="never">Ids that are not drawn: padding, mask, unknown, start.</param>
    /// <param name="stop">Ends the enumeration.</param>
    /// <returns>options.Count sequences, in order: the same for every batch size.</returns>
    public static IEnumerable<GeneratedSequence> Generate(
        ChemGpt model, SamplingOptions options, int[] prompt, int startId, int endId, IReadOnlyCollection<int> never, CancellationToken stop = default)
    {
        options.Validate();
        int capacity = Math.Min(options.MaximumTokens, model.Config.Positions);
        if (prompt.Length + 2 > capacity)
            throw new InputException("prompt", $"{prompt.Length} tokens", $"at most {capacity - 2} for sequences of {capacity}");
        for (int first = 0; first < options.Count; first += options.BatchSize)
        {
            int count = Math.Min(options.BatchSize, options.Count - first);
            foreach (GeneratedSequence sequence in Batch(model, options, prompt, startId, endId, never, first, count, capacity, stop))
                yield return sequence;
        }
    }

    private static GeneratedSequence[] Batch(ChemGpt model, SamplingOptions options, int[] prompt, int startId, int endId,
        IReadOnlyCollection<int> never, int first, int count, int capacity, CancellationToken stop)
    {
        using var decoder = new ChemGptDecoder(model, count, capacity);
        var samplers = Enumerable.Range(first, count).Select(s => new TokenSampler(options.Seed, s, options.Temperature, options.TopK)).ToArray();
        List<int>[] drawn = [.. Enumerable.Range(0, count).Select(_ => new List<int>(prompt))];
        bool[] finished = new bool[count];
        int[] active = [.. Enumerable.Range(0, count)];
        int vocabulary = model.Config.VocabularySize;

        int[] given = [startId, .. prompt];
        var next = new long[count];
        for (int t = 0; t < given.Length - 1; t++)
        {
            Array.Fill(next, given[t]);
            decoder.Step(next).Dispose();
        }
        Array.Fill(next, given[^1]);
        // A sequence fills the capacity with start, tokens and end.
        while (active.Length > 0 && decoder.Length < capacity - 1)
        {
            stop.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            double[] scores = decoder.Step(next).to(ScalarType.Float64).cpu().data<double>().ToArray();
            var kept = new List<long>();
            for (int row = 0; row < active.Length; row++)
            {
                int sequence = active[row];
                Span<double> mine = scores.AsSpan(row * vocabulary, vocabulary);
                foreach (int id in never) mine[id] = double.NegativeInfinity;
                int id1 = samplers[sequence].Draw(mine);
                if (id1 == endId)
                {
                    finished[sequence] = true;
                    continue;
                }
                drawn[sequence].Add(id1);
                kept.Add(row);
            }
            if (kept.Count < active.Length && kept.Count > 0) decoder.Keep([.. kept]);
            active = [.. kept.Select(row => active[row])];
            next = [.. active.Select(s => (long)drawn[s][^1])];
        }
        return [.. drawn.Select((ids, s) => new GeneratedSequence([.. ids], finished[s]))];
    }
}

/// <summary>How molecules are drawn from a language model.</summary>
public sealed record SamplingOptions
{
    /// <summary>How many sequences.</summary>
    public int Count { get; init; } = 10;

    /// <summary>Divides the scores; 0 takes the likeliest token.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Draw from the k likeliest tokens only; 0: from all.</summary>
    public int TopK { get; init; }

    public long Seed { get; init; }

    /// <summary>A sequence that has not ended by then is given up as unfinished.</summary>
    public int MaximumTokens { get; init; } = 512;

    /// <summary>Sequences decoded side by side; does not change what is drawn.</summary>
    public int BatchSize { get; init; } = 64;

    /// <exception cref="InputException">A key out of range.</exception>
    public void Validate()
    {
        if (Count < 1) throw new InputException("count", $"{Count}", "1 or more");
        if (!(Temperature >= 0) || double.IsInfinity(Temperature)) throw new InputException("temperature", $"{Temperature}", "0 or more");
        if (TopK < 0) throw new InputException("top-k", $"{TopK}", "0 (all tokens) or more");
        if (MaximumTokens < 2) throw new InputException("max-tokens", $"{MaximumTokens}", "2 or more");
        if (BatchSize < 1) throw new InputException("batch", $"{BatchSize}", "1 or more");
    }
}

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
