using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// Scores next tokens of B sequences of equal length, one position at a time, keeping each layer's keys and values: the cost of a token
/// grows with the length so far, not with its square. No gradients.
/// </summary>
internal sealed class ChemGptDecoder : IDisposable
{
    private readonly ChemGpt model;
    private readonly Tensor[] keys;
    private readonly Tensor[] values;

    /// <param name="model">Stays the caller's.</param>
    /// <param name="sequences">B</param>
    /// <param name="capacity">Greatest number of positions; at most the model's.</param>
    public ChemGptDecoder(ChemGpt model, int sequences, int capacity)
    {
        if (capacity > model.Config.Positions) throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "beyond the position table");
        this.model = model;
        Sequences = sequences;
        long heads = model.Config.Heads, d = model.Config.Width / heads;
        Tensor like = model.TokenTable;
        keys = [.. model.Blocks.Select(_ => Cache())];
        values = [.. model.Blocks.Select(_ => Cache())];

        Tensor Cache() => zeros([sequences, heads, capacity, d], dtype: like.dtype, device: like.device).DetachFromDisposeScope();
    }

    public int Sequences { get; private set; }

    /// <summary>Positions decoded so far.</summary>
    public int Length { get; private set; }

    /// <summary>Takes one token of each sequence.</summary>
    /// <param name="ids">(B) token ids.</param>
    /// <returns>(B, vocabulary) scores of the next token.</returns>
    public Tensor Step(ReadOnlySpan<long> ids)
    {
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ChemGptConfig config = model.Config;
        long heads = config.Heads, d = config.Width / heads;
        Tensor x = model.TokenTable.index_select(0, tensor(ids.ToArray(), device: model.TokenTable.device)) + model.PositionTable.narrow(0, Length, 1);
        for (int layer = 0; layer < model.Blocks.Count; layer++)
        {
            ChemGptBlock block = model.Blocks[layer];
            Tensor qkv = nn.functional.linear(block.Norm(x, block.Norm1Weight, block.Norm1Bias), block.QueryKeyValue).view(Sequences, 3, heads, d);
            keys[layer].narrow(2, Length, 1).copy_(qkv.select(1, 1).unsqueeze(2));
            values[layer].narrow(2, Length, 1).copy_(qkv.select(1, 2).unsqueeze(2));
            int first = config.IsLocal(layer) ? Math.Max(0, Length + 1 - config.Window) : 0, seen = Length + 1 - first;
            Tensor scores = qkv.select(1, 0).unsqueeze(2).matmul(keys[layer].narrow(2, first, seen).transpose(-2, -1));
            if (model.Scaling.Scores != 1) scores = scores * model.Scaling.Scores;
            Tensor attended = nn.functional.softmax(scores, -1).matmul(values[layer].narrow(2, first, seen)).view(Sequences, config.Width);
            x = block.FeedForward(x + nn.functional.linear(attended, block.ProjectionWeight, block.ProjectionBias));
        }
        Length++;
        return model.Scored(model.Normalize(x)).MoveToOuterDisposeScope();
    }

    /// <summary>Goes on with some of the sequences only.</summary>
    /// <param name="kept">Their indices, in the new order.</param>
    public void Keep(ReadOnlySpan<long> kept)
    {
        using var gradients = no_grad();
        using Tensor index = tensor(kept.ToArray(), device: model.TokenTable.device);
        foreach (Tensor[] cache in (Tensor[][])[keys, values])
        {
            for (int layer = 0; layer < cache.Length; layer++)
            {
                Tensor all = cache[layer];
                cache[layer] = all.index_select(0, index).DetachFromDisposeScope();
                all.Dispose();
            }
        }
        Sequences = kept.Length;
    }

    public void Dispose()
    {
        foreach (Tensor cache in keys.Concat(values)) cache.Dispose();
    }
}
