using ChemScale.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Generation;

/// <summary>One sequence drawn; Ids hold neither the start nor the end token. Finished: the end token came in time.</summary>
public sealed record GeneratedSequence(int[] Ids, bool Finished);

/// <summary>Draws token sequences from a ChemGPT.</summary>
public static class SequenceGenerator
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
