using System.Numerics;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Transformer;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// Scores next tokens of B sequences of equal length, one position at a time, keeping each layer's keys and values: the cost of a token
/// grows with the length so far, not with its square. No gradients; the weights stay as they are while it lives.
/// </summary>
internal abstract class ChemGptDecoder : IDisposable
{
    protected ChemGptDecoder(ChemGpt model) => Model = model;

    public abstract int Sequences { get; }

    /// <summary>Positions decoded so far.</summary>
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

    /// <summary>So many new sequences; what was there ends.</summary>
    public abstract void Begin(int sequences);

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

    public override void Begin(int sequences) => passes.Begin(sequences);

    public override void Step(ReadOnlySpan<long> ids, IScoreReader? reader) => passes.Step(ids, reader);

    public override void Keep(ReadOnlySpan<long> kept) => passes.Keep(kept);

    protected override void Dispose(bool disposing) => passes.Dispose();
}

/// <summary>By library operations: on every device, for every width.</summary>
internal sealed class ChemGptDecoderComposed(ChemGpt model) : ChemGptDecoder(model)
{
    // Positions that caches grow by.
    private const int Growth = 64;

    private readonly Tensor?[] keys = new Tensor?[model.Blocks.Count];
    private readonly Tensor?[] values = new Tensor?[model.Blocks.Count];
    private int sequences, length;

    public override int Sequences => sequences;

    public override int Length => length;

    public override void Begin(int sequences)
    {
        Dispose(true);
        this.sequences = sequences;
        length = 0;
    }

    public override void Step(ReadOnlySpan<long> ids, IScoreReader? reader)
    {
        if (length >= Model.Config.Positions) throw new InvalidOperationException($"the model has no position {length}");
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ChemGptConfig config = Model.Config;
        long heads = config.Heads, d = config.Width / heads;
        Tensor x = Model.TokenTable.index_select(0, tensor(ids.ToArray(), device: Model.TokenTable.device)) + Model.PositionTable.narrow(0, length, 1);
        for (int layer = 0; layer < Model.Blocks.Count; layer++)
        {
            ChemGptBlock block = Model.Blocks[layer];
            Tensor qkv = nn.functional.linear(block.Norm(x, block.Norm1Weight, block.Norm1Bias), block.QueryKeyValue).view(sequences, 3, heads, d);
            if (length % Growth == 0) Grow(layer);
            Tensor key = keys[layer]!, value = values[layer]!;
            key.narrow(2, length, 1).copy_(qkv.select(1, 1).unsqueeze(2));
            value.narrow(2, length, 1).copy_(qkv.select(1, 2).unsqueeze(2));
            int first = config.IsLocal(layer) ? Math.Max(0, length + 1 - config.Window) : 0, seen = length + 1 - first;
            Tensor scores = qkv.select(1, 0).unsqueeze(2).matmul(key.narrow(2, first, seen).transpose(-2, -1));
            if (Model.Scaling.Scores != 1) scores = scores * Model.Scaling.Scores;
            Tensor attended = nn.functional.softmax(scores, -1).matmul(value.narrow(2, first, seen)).view(sequences, config.Width);
            x = block.FeedForward(x + nn.functional.linear(attended, block.ProjectionWeight, block.ProjectionBias));
        }
        length++;
        if (reader is null) return;
        Tensor next = Model.Scored(Model.Normalize(x)).cpu().contiguous();
        if (next.dtype == ScalarType.Float64) Hand<double>();
        else Hand<float>();

        void Hand<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] all = next.data<T>().ToArray();
            for (int row = 0; row < sequences; row++) reader!.Read(row, all.AsSpan(row * config.VocabularySize, config.VocabularySize));
        }
    }

    public override void Keep(ReadOnlySpan<long> kept)
    {
        using var gradients = no_grad();
        using Tensor index = tensor(kept.ToArray(), device: Model.TokenTable.device);
        foreach (Tensor?[] cache in (Tensor?[][])[keys, values])
        {
            for (int layer = 0; layer < cache.Length; layer++)
            {
                if (cache[layer] is not { } all) continue;
                cache[layer] = all.index_select(0, index).DetachFromDisposeScope();
                all.Dispose();
            }
        }
        sequences = kept.Length;
    }

    protected override void Dispose(bool disposing)
    {
        foreach (Tensor?[] cache in (Tensor?[][])[keys, values])
        {
            foreach (Tensor? tensor in cache) tensor?.Dispose();
            Array.Clear(cache);
        }
    }

    private void Grow(int layer)
    {
        ChemGptConfig config = Model.Config;
        Tensor like = Model.TokenTable;
        foreach (Tensor?[] cache in (Tensor?[][])[keys, values])
        {
            Tensor more = zeros([sequences, config.Heads, Growth, config.Width / config.Heads], dtype: like.dtype, device: like.device);
            Tensor? before = cache[layer];
            cache[layer] = (before is null ? more : cat([before, more], 2)).DetachFromDisposeScope();
            before?.Dispose();
        }
    }
}
