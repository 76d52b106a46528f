using System.Numerics;
using ChemScale.Engine.Models;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Operators.Transformer;

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
        using ChemGptDecoder decoder = ChemGptDecoder.Of(model);
        for (int first = 0; first < options.Count; first += options.BatchSize)
        {
            int count = Math.Min(options.BatchSize, options.Count - first);
            foreach (GeneratedSequence sequence in Batch(decoder, options, prompt, startId, endId, never, first, count, capacity, stop))
                yield return sequence;
        }
    }

    private static GeneratedSequence[] Batch(ChemGptDecoder decoder, SamplingOptions options, int[] prompt, int startId, int endId,
        IReadOnlyCollection<int> never, int first, int count, int capacity, CancellationToken stop)
    {
        decoder.Begin(count);
        var drawing = new Drawing([.. Enumerable.Range(first, count).Select(s => new TokenSampler(options.Seed, s, options.Temperature, options.TopK))], [.. never]);
        List<int>[] drawn = [.. Enumerable.Range(0, count).Select(_ => new List<int>(prompt))];
        bool[] finished = new bool[count];
        int[] active = [.. Enumerable.Range(0, count)];

        int[] given = [startId, .. prompt];
        var next = new long[count];
        for (int t = 0; t < given.Length - 1; t++)
        {
            Array.Fill(next, given[t]);
            decoder.Step(next, null);
        }
        Array.Fill(next, given[^1]);
        // A sequence fills the capacity with start, tokens and end.
        while (active.Length > 0 && decoder.Length < capacity - 1)
        {
            stop.ThrowIfCancellationRequested();
            decoder.Step(next, drawing);
            var kept = new List<long>(active.Length);
            for (int row = 0; row < active.Length; row++)
            {
                int sequence = active[row], id = drawing.Drawn[row];
                if (id == endId)
                {
                    finished[sequence] = true;
                    continue;
                }
                drawn[sequence].Add(id);
                kept.Add(row);
            }
            if (kept.Count < active.Length)
            {
                if (kept.Count > 0) decoder.Keep([.. kept]);
                active = [.. kept.Select(row => active[row])];
                drawing.Keep(kept);
                next = new long[active.Length];
            }
            for (int row = 0; row < active.Length; row++) next[row] = drawn[active[row]][^1];
        }
        return [.. drawn.Select((ids, s) => new GeneratedSequence([.. ids], finished[s]))];
    }

    /// <summary>Draws from each row of scores as it comes.</summary>
    private sealed class Drawing(TokenSampler[] samplers, int[] never) : IScoreReader
    {
        private TokenSampler[] samplers = samplers;

        /// <summary>By row.</summary>
        public int[] Drawn { get; } = new int[samplers.Length];

        public void Read<T>(int row, Span<T> scores)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (int id in never) scores[id] = T.NegativeInfinity;
            Drawn[row] = samplers[row].Draw<T>(scores);
        }

        public void Keep(List<long> rows) => samplers = [.. rows.Select(row => samplers[row])];
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
    public int Draw<T>(ReadOnlySpan<T> scores)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best]) best = i;
        if (temperature == 0) return best;

        T threshold = topK > 0 && topK < scores.Length ? Threshold(scores, topK, scores[best]) : T.NegativeInfinity;
        bool small = scores.Length <= 4096;
        Span<int> ids = small ? stackalloc int[scores.Length] : new int[scores.Length];
        int count = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            ids[count] = i;
            count += scores[i] >= threshold ? 1 : 0;
        }
        Span<double> weights = small ? stackalloc double[count] : new double[count];
        double total = 0, greatest = double.CreateChecked(scores[best]);
        for (int i = 0; i < count; i++)
        {
            T score = scores[ids[i]];
            weights[i] = T.IsNegativeInfinity(score) ? 0 : Math.Exp((double.CreateChecked(score) - greatest) / temperature);
            total += weights[i];
        }
        double point = random.NextDouble() * total;
        int drawn = best;
        for (int i = 0; i < count; i++)
        {
            if (weights[i] <= 0) continue;
            drawn = ids[i];
            point -= weights[i];
            if (point < 0) break;
        }
        return drawn;
    }

    /// <summary>A number that the k greatest scores, and those that equal the least of them, reach, and no others: halving an interval and counting.</summary>
    internal static T Threshold<T>(ReadOnlySpan<T> scores, int k, T greatest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Reaching(scores, greatest) >= k) return greatest;
        if (Reaching(scores, Least<T>()) < k) return T.NegativeInfinity;
        T high = greatest, low;
        for (T step = T.One; ; step += step)
        {
            // Most often a few steps down are enough; in the end it is the least finite number.
            low = T.IsFinite(step) ? T.Max(greatest - step, Least<T>()) : Least<T>();
            int count = Reaching(scores, low);
            if (count == k) return low;
            if (count > k) break;
            high = low;
        }
        while (true)
        {
            T middle = low / (T.One + T.One) + high / (T.One + T.One);
            if (!(middle > low) || !(middle < high)) return low;
            int count = Reaching(scores, middle);
            if (count == k) return middle;
            if (count > k) low = middle;
            else high = middle;
        }
    }

    private static T Least<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => typeof(T) == typeof(float) ? T.CreateChecked(float.MinValue) : T.CreateChecked(double.MinValue);

    /// <summary>How many scores are so great, or greater.</summary>
    private static int Reaching<T>(ReadOnlySpan<T> scores, T least)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var threshold = new Vector<T>(least);
        Vector<T> counts = Vector<T>.Zero;
        int i = 0, rest = 0;
        for (; i + Vector<T>.Count <= scores.Length; i += Vector<T>.Count)
            counts += Vector.ConditionalSelect(Vector.GreaterThanOrEqual(new Vector<T>(scores.Slice(i)), threshold), Vector<T>.One, Vector<T>.Zero);
        for (; i < scores.Length; i++) rest += scores[i] >= least ? 1 : 0;
        return int.CreateChecked(Vector.Sum(counts)) + rest;
    }

    /// <summary>Neighbouring sequences get unrelated streams, the same on every platform.</summary>
    private static int HashCode(long seed, long sequence) =>
        (int)(SplitMix64.Mix(unchecked((ulong)seed * SplitMix64.Step + (ulong)sequence + 0x632BE59BD9B4E019UL)) & 0x7FFFFFFF);
}
