using System.Numerics;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Transformer;

namespace ChemScale.Engine.Generation;

/// <summary>One sequence drawn; Ids hold neither the start nor the end token. Finished: the end token came in time.</summary>
internal sealed record GeneratedSequence(int[] Ids, bool Finished);

/// <summary>What may follow what. Asked on several threads at once.</summary>
internal interface ISequenceRule
{
    /// <param name="ids">The sequence so far.</param>
    /// <param name="id">Was drawn; where it may not follow, another is.</param>
    bool Allows(List<int> ids, int id);
}

/// <summary>Draws token sequences from a ChemGPT.</summary>
internal static class SequenceGenerator
{
    /// <param name="model">In any precision, on any device.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="prompt">Ids that every sequence starts with, after the start token; part of the result.</param>
    /// <param name="startId">The start token, [CLS].</param>
    /// <param name="endId">The end token, [SEP].</param>
    /// <param name="never">Ids that are not drawn: padding, mask, unknown, start.</param>
    /// <param name="rule">What else is not drawn; null: nothing.</param>
    /// <param name="first">Number of the first sequence that is wanted.</param>
    /// <param name="stop">Ends the enumeration.</param>
    /// <returns>Sequences <paramref name="first"/> to options.Count - 1, in order: the same for every batch size, and wherever it begins.</returns>
    public static IEnumerable<GeneratedSequence> Generate(ChemGpt model, SamplingOptions options, int[] prompt, int startId, int endId,
        IReadOnlyCollection<int> never, ISequenceRule? rule = null, long first = 0, CancellationToken stop = default)
    {
        options.Validate();
        int capacity = options.Capacity(model.Config.Positions);
        if (prompt.Length + 2 > capacity)
            throw new InputException("prompt", $"{prompt.Length} tokens", $"at most {capacity - 2} for sequences of {capacity}");
        return Sequences();

        IEnumerable<GeneratedSequence> Sequences()
        {
            using ChemGptDecoder decoder = ChemGptDecoder.Of(model);
            var batch = new Batch(decoder, options, prompt, endId, [.. never], rule, first, capacity);
            batch.Begin([startId, .. prompt]);
            // Sequences that ended before one of a lower number did.
            var waiting = new Dictionary<long, GeneratedSequence>();
            for (long next = first; ;)
            {
                while (batch.Ended.TryDequeue(out (long Number, GeneratedSequence Sequence) ended)) waiting.Add(ended.Number, ended.Sequence);
                for (; waiting.Remove(next, out GeneratedSequence? sequence); next++) yield return sequence;
                if (batch.IsOver) yield break;
                stop.ThrowIfCancellationRequested();
                batch.Step();
            }
        }
    }

    /// <summary>Sequences side by side; the next one takes the place of one that ends.</summary>
    private sealed class Batch(ChemGptDecoder decoder, SamplingOptions options, int[] prompt, int endId, int[] never, ISequenceRule? rule, long first, int capacity)
        : IScoreReader
    {
        private List<Drawing> rows = [];
        private double[] beginning = [];
        private long next = first;
        private long[] tokens = [];

        public Queue<(long Number, GeneratedSequence Sequence)> Ended { get; } = new();

        public bool IsOver => rows.Count == 0;

        public void Begin(long[] given)
        {
            var reader = new Beginning();
            decoder.Prompt(given, reader);
            beginning = reader.Scores;
            while (rows.Count < options.BatchSize && Next() is { } row) rows.Add(row);
            decoder.Begin(rows.Count);
        }

        public void Step()
        {
            if (tokens.Length != rows.Count) tokens = new long[rows.Count];
            for (int row = 0; row < tokens.Length; row++) tokens[row] = rows[row].Ids[^1];
            decoder.Step(tokens, this);
            List<long>? kept = null;
            for (int row = 0; row < tokens.Length; row++)
            {
                if (!Take(rows[row]))
                {
                    kept?.Add(row);
                    continue;
                }
                if (Next() is { } begun)
                {
                    rows[row] = begun;
                    decoder.Restart(row);
                    kept?.Add(row);
                }
                else kept ??= [.. Enumerable.Range(0, row).Select(r => (long)r)];
            }
            if (kept is null) return;
            rows = [.. kept.Select(row => rows[(int)row])];
            if (rows.Count > 0) decoder.Keep([.. kept]);
        }

        public void Read<T>(int row, Span<T> scores)
            where T : unmanaged, IFloatingPointIeee754<T> => Draw(rows[row], scores);

        private void Draw<T>(Drawing of, Span<T> scores)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (int id in never) scores[id] = T.NegativeInfinity;
            TokenSampler.Penalize(scores, of.Ids, options.RepetitionPenalty);
            TokenSampler.HideRepeats(scores, of.Ids, options.NoRepeat);
            while (true)
            {
                of.Drawn = of.Sampler.Draw<T>(scores);
                if (of.Drawn < 0 || rule?.Allows(of.Ids, of.Drawn) != false) return;
                scores[of.Drawn] = T.NegativeInfinity;
            }
        }

        /// <summary>The next sequence that does not end with its first token; null: there is none.</summary>
        private Drawing? Next()
        {
            while (next < options.Count)
            {
                var row = new Drawing(next, new TokenSampler(options.Seed, next, options.Temperature, options.TopK, options.TopP), [.. prompt]);
                next++;
                // All begin alike: the scores of the first token are there.
                Draw(row, ((double[])beginning.Clone()).AsSpan());
                if (!Take(row)) return row;
            }
            return null;
        }

        /// <summary>The drawn token becomes part of its sequence.</summary>
        /// <returns>True where it has ended.</returns>
        private bool Take(Drawing row)
        {
            bool finished = row.Drawn == endId;
            if (!finished && row.Drawn >= 0) row.Ids.Add(row.Drawn);
            // A sequence fills the capacity with start, tokens and end.
            if (!finished && row.Drawn >= 0 && row.Ids.Count < capacity - 1) return false;
            Ended.Enqueue((row.Number, new GeneratedSequence([.. row.Ids], finished)));
            return true;
        }
    }

    /// <summary>A sequence on its way.</summary>
    private sealed class Drawing(long number, TokenSampler sampler, List<int> ids)
    {
        public long Number { get; } = number;

        public TokenSampler Sampler { get; } = sampler;

        public List<int> Ids { get; } = ids;

        /// <summary>The last token drawn, not yet one of them; -1: there was none to draw.</summary>
        public int Drawn { get; set; }
    }

    /// <summary>The scores behind what all sequences begin with.</summary>
    private sealed class Beginning : IScoreReader
    {
        public double[] Scores { get; private set; } = [];

        public void Read<T>(int row, Span<T> scores)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            Scores = new double[scores.Length];
            for (int i = 0; i < scores.Length; i++) Scores[i] = double.CreateChecked(scores[i]);
        }
    }
}
