using System.Numerics;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Transformer;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// Scores next tokens of B sequences, one position at a time, keeping each layer's keys and values: the cost of a token grows with the length of its
/// sequence so far, not with its square, nor with what was allowed. What all sequences begin with is computed once. No gradients; the weights stay as
/// they are while it lives.
/// </summary>
internal abstract class ChemGptDecoder : IDisposable
{
    protected ChemGptDecoder(ChemGpt model) => Model = model;

    public abstract int Sequences { get; }

    /// <summary>Positions of the longest sequence so far.</summary>
    public abstract int Length { get; }

    protected ChemGpt Model { get; }

    /// <summary>In the form that the run's mode has for the model.</summary>
    /// <param name="model">Stays the caller's.</param>
    public static ChemGptDecoder Of(ChemGpt model)
    {
        ChemGptConfig config = model.Config;
        var decoding = new DecodingModel(model.TokenTable, model.PositionTable, [.. model.Blocks.Select(b => b.Weights)],
            [.. model.Blocks.Select((_, layer) => config.IsLocal(layer) && config.Window < config.Positions ? config.Window : 0)],
            model.FinalNormWeight, model.FinalNormBias, config.Heads, model.Scaling.Scores, model.Scaling.Logits, config.LayerNormEpsilon);
        Tensor table = model.TokenTable;
        bool host = !OperatorModes.UseKernels(table) && decoding.HasPasses && OperatorModes.UseHost(table, decoding.Pays);
        return host ? new ChemGptDecoderHost(model, IDecodingPasses.Of(decoding)) : new ChemGptDecoderComposed(model);
    }

    /// <summary>What every sequence that is begun from here on starts with, in one pass; sequences that are there end.</summary>
    /// <param name="ids">Token ids; none: sequences begin empty.</param>
    /// <param name="reader">Gets the scores of the token behind it, as row 0.</param>
    public abstract void Prompt(ReadOnlySpan<long> ids, IScoreReader? reader);

    /// <summary>So many new sequences, which begin with the prompt; what was there ends.</summary>
    public abstract void Begin(int sequences);

    /// <summary>A new sequence in the place of one that ends.</summary>
    public abstract void Restart(int row);

    /// <summary>Takes one token of each sequence.</summary>
    /// <param name="ids">(B) token ids.</param>
    /// <param name="reader">Gets the scores of the next token; null: nobody wants them.</param>
    public abstract void Step(ReadOnlySpan<long> ids, IScoreReader? reader);

    /// <summary>Takes one token of each sequence.</summary>
    /// <param name="ids">(B) token ids.</param>
    /// <returns>(B, vocabulary) scores of the next token.</returns>
    public Tensor Step(ReadOnlySpan<long> ids)
    {
        var scores = new ScoreTable(Sequences, Model.Config.VocabularySize);
        Step(ids, scores);
        return tensor(scores.Values, Sequences, Model.Config.VocabularySize).to(Model.TokenTable.dtype);
    }

    /// <summary>Goes on with some of the sequences only.</summary>
    /// <param name="kept">Their indices, in the new order, none twice.</param>
    public abstract void Keep(ReadOnlySpan<long> kept);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);

    private sealed class ScoreTable(int rows, int columns) : IScoreReader
    {
        public double[] Values { get; } = new double[rows * columns];

        public void Read<T>(int row, Span<T> scores)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            for (int i = 0; i < columns; i++) Values[row * columns + i] = double.CreateChecked(scores[i]);
        }
    }
}

/// <summary>On raw memory.</summary>
internal sealed class ChemGptDecoderHost(ChemGpt model, IDecodingPasses passes) : ChemGptDecoder(model)
{
    public override int Sequences => passes.Sequences;

    public override int Length => passes.Length;

    public long CacheBytes => passes.CacheBytes;

    public override void Prompt(ReadOnlySpan<long> ids, IScoreReader? reader) => passes.Prompt(ids, reader);

    public override void Begin(int sequences) => passes.Begin(sequences);

    public override void Restart(int row) => passes.Restart(row);

    public override void Step(ReadOnlySpan<long> ids, IScoreReader? reader) => passes.Step(ids, reader);

    public override void Keep(ReadOnlySpan<long> kept) => passes.Keep(kept);

    protected override void Dispose(bool disposing) => passes.Dispose();
}

/// <summary>By library operations: on every device, for every width.</summary>
internal sealed class ChemGptDecoderComposed(ChemGpt model) : ChemGptDecoder(model)
{
    // Positions that caches grow by.
    private const int Growth = 64;

    // (B, heads, positions, d), and those of the prompt, (1, heads, its tokens, d).
    private readonly Tensor?[] keys = new Tensor?[model.Blocks.Count], values = new Tensor?[model.Blocks.Count];
    private readonly Tensor?[] promptKeys = new Tensor?[model.Blocks.Count], promptValues = new Tensor?[model.Blocks.Count];
    private long[] lengths = [];
    private int prompt, capacity;

    public override int Sequences => lengths.Length;

    public override int Length => (int)lengths.DefaultIfEmpty().Max();

    private IEnumerable<(Tensor?[] Cache, Tensor?[] Prompt)> Caches => [(keys, promptKeys), (values, promptValues)];

    public override void Prompt(ReadOnlySpan<long> ids, IScoreReader? reader)
    {
        Dispose(true);
        lengths = [];
        RequirePlace(ids.Length);
        prompt = ids.Length;
        if (prompt == 0) return;
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ChemGptConfig config = Model.Config;
        Device device = Model.TokenTable.device;
        Tensor x = Model.TokenTable.index_select(0, tensor(ids.ToArray(), device: device)) + Model.PositionTable.narrow(0, 0, prompt);
        Tensor at = arange(prompt, device: device), ahead = at.unsqueeze(0) - at.unsqueeze(1);
        for (int layer = 0; layer < Model.Blocks.Count; layer++)
        {
            ChemGptBlock block = Model.Blocks[layer];
            Tensor qkv = nn.functional.linear(block.Norm(x, block.Norm1Weight, block.Norm1Bias), block.QueryKeyValue)
                .view(prompt, 3, config.Heads, config.Width / config.Heads).permute(1, 2, 0, 3);
            Tensor key = qkv.select(0, 1), value = qkv.select(0, 2);
            Tensor hidden = config.IsLocal(layer) ? ahead.gt(0).logical_or(ahead.le(-config.Window)) : ahead.gt(0);
            Tensor attended = Attended(qkv.select(0, 0), key, value, hidden).transpose(0, 1).reshape(prompt, config.Width);
            x = block.FeedForward(x + nn.functional.linear(attended, block.ProjectionWeight, block.ProjectionBias));
            promptKeys[layer] = key.unsqueeze(0).contiguous().DetachFromDisposeScope();
            promptValues[layer] = value.unsqueeze(0).contiguous().DetachFromDisposeScope();
        }
        if (reader is not null) Hand(x.narrow(0, prompt - 1, 1), reader);
    }

    public override void Begin(int sequences)
    {
        using var gradients = no_grad();
        Clear(keys);
        Clear(values);
        lengths = new long[sequences];
        Array.Fill(lengths, prompt);
        capacity = 0;
        Grow(prompt);
        if (prompt == 0) return;
        foreach ((Tensor?[] cache, Tensor?[] from) in Caches)
        {
            for (int layer = 0; layer < cache.Length; layer++)
            {
                using Tensor place = cache[layer]!.narrow(2, 0, prompt);
                place.copy_(from[layer]!);
            }
        }
    }

    public override void Restart(int row)
    {
        using var gradients = no_grad();
        lengths[row] = prompt;
        if (prompt == 0) return;
        foreach ((Tensor?[] cache, Tensor?[] from) in Caches)
        {
            for (int layer = 0; layer < cache.Length; layer++)
            {
                using Tensor one = cache[layer]!.narrow(0, row, 1), place = one.narrow(2, 0, prompt);
                place.copy_(from[layer]!);
            }
        }
    }

    public override void Step(ReadOnlySpan<long> ids, IScoreReader? reader)
    {
        int longest = Length;
        RequirePlace(longest + 1);
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ChemGptConfig config = Model.Config;
        Device device = Model.TokenTable.device;
        long heads = config.Heads, d = config.Width / heads, count = Sequences;
        Grow(longest + 1);
        Tensor at = tensor(lengths, device: device), place = at.view(-1, 1, 1, 1);
        Tensor index = place.expand(count, heads, 1, d), ahead = arange(longest + 1, device: device) - place;
        bool ragged = lengths.Any(l => l != longest);
        Tensor x = Model.TokenTable.index_select(0, tensor(ids.ToArray(), device: device)) + Model.PositionTable.index_select(0, at);
        for (int layer = 0; layer < Model.Blocks.Count; layer++)
        {
            ChemGptBlock block = Model.Blocks[layer];
            Tensor qkv = nn.functional.linear(block.Norm(x, block.Norm1Weight, block.Norm1Bias), block.QueryKeyValue).view(count, 3, heads, d);
            keys[layer]!.scatter_(2, index, qkv.select(1, 1).unsqueeze(2));
            values[layer]!.scatter_(2, index, qkv.select(1, 2).unsqueeze(2));
            bool local = config.IsLocal(layer);
            int first = local ? Math.Max(0, (int)lengths.Min() + 1 - config.Window) : 0, seen = longest + 1 - first;
            Tensor before = ahead.narrow(3, first, seen);
            Tensor? hidden = !ragged ? null : local ? before.gt(0).logical_or(before.le(-config.Window)) : before.gt(0);
            Tensor attended = Attended(qkv.select(1, 0).unsqueeze(2), keys[layer]!.narrow(2, first, seen), values[layer]!.narrow(2, first, seen), hidden);
            x = block.FeedForward(x + nn.functional.linear(attended.view(count, config.Width), block.ProjectionWeight, block.ProjectionBias));
        }
        for (int row = 0; row < lengths.Length; row++) lengths[row]++;
        if (reader is not null) Hand(x, reader);
    }

    public override void Keep(ReadOnlySpan<long> kept)
    {
        using var gradients = no_grad();
        using Tensor index = tensor(kept.ToArray(), device: Model.TokenTable.device);
        lengths = [.. kept.ToArray().Select(row => lengths[row])];
        capacity = Math.Min(capacity, Rounded(Length));
        foreach ((Tensor?[] cache, _) in Caches)
        {
            for (int layer = 0; layer < cache.Length; layer++)
            {
                if (cache[layer] is not { } all) continue;
                using Tensor used = all.narrow(2, 0, capacity);
                cache[layer] = used.index_select(0, index).DetachFromDisposeScope();
                all.Dispose();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        foreach ((Tensor?[] cache, Tensor?[] of) in Caches)
        {
            Clear(cache);
            Clear(of);
        }
    }

    private static void Clear(Tensor?[] cache)
    {
        foreach (Tensor? tensor in cache) tensor?.Dispose();
        Array.Clear(cache);
    }

    private void RequirePlace(int positions)
    {
        if (positions > Model.Config.Positions) throw new InvalidOperationException($"the model has no position {Model.Config.Positions}");
    }

    /// <param name="query">(..., queries, d)</param>
    /// <param name="key">(..., keys, d)</param>
    /// <param name="value">(..., keys, d)</param>
    /// <param name="hidden">What a query does not see; null: it sees all.</param>
    private Tensor Attended(Tensor query, Tensor key, Tensor value, Tensor? hidden)
    {
        Tensor scores = query.matmul(key.transpose(-2, -1));
        if (Model.Scaling.Scores != 1) scores = scores * Model.Scaling.Scores;
        if (hidden is not null) scores = scores.masked_fill(hidden, double.NegativeInfinity);
        return nn.functional.softmax(scores, -1).matmul(value);
    }

    private void Hand(Tensor x, IScoreReader reader)
    {
        Tensor next = Model.Scored(Model.Normalize(x)).cpu().contiguous();
        int columns = Model.Config.VocabularySize;
        if (next.dtype == ScalarType.Float64) Each<double>();
        else Each<float>();

        void Each<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] all = next.data<T>().ToArray();
            for (int row = 0; row < all.Length / columns; row++) reader.Read(row, all.AsSpan(row * columns, columns));
        }
    }

    private static int Rounded(int positions) => (positions + Growth - 1) / Growth * Growth;

    /// <summary>Room for so many positions.</summary>
    private void Grow(int positions)
    {
        int more = Rounded(positions) - capacity;
        if (more <= 0) return;
        capacity += more;
        ChemGptConfig config = Model.Config;
        Tensor like = Model.TokenTable;
        foreach ((Tensor?[] cache, _) in Caches)
        {
            for (int layer = 0; layer < cache.Length; layer++)
            {
                Tensor added = zeros([Sequences, config.Heads, more, config.Width / config.Heads], dtype: like.dtype, device: like.device);
                Tensor? before = cache[layer];
                cache[layer] = (before is null ? added : cat([before, added], 2)).DetachFromDisposeScope();
                if (before is null) continue;
                before.Dispose();
                added.Dispose();
            }
        }
    }
}
