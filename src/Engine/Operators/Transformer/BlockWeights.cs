using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>The numbers of a layer.</summary>
/// <param name="Heads">Divides h.</param>
/// <param name="Window">Reach in tokens, the query's own included; 0: unlimited.</param>
/// <param name="Scale">Factor on the scores.</param>
/// <param name="Epsilon">Of the layer norms.</param>
/// <param name="Precision">What attention multiplies in.</param>
internal sealed record TransformerSettings(int Heads, int Window, double Scale, double Epsilon, AttentionPrecision Precision = AttentionPrecision.Weights);

/// <summary>The parameters of a layer of width h and inner width n.</summary>
/// <param name="Norm1Weight">(h)</param>
/// <param name="Norm1Bias">(h)</param>
/// <param name="QueryKeyValue">(3 h, h)</param>
/// <param name="Projection">(h, h)</param>
/// <param name="ProjectionBias">(h)</param>
/// <param name="Norm2Weight">(h)</param>
/// <param name="Norm2Bias">(h)</param>
/// <param name="Expand">(n, h)</param>
/// <param name="ExpandBias">(n)</param>
/// <param name="Contract">(h, n)</param>
/// <param name="ContractBias">(h)</param>
internal readonly record struct BlockWeights(
    Tensor Norm1Weight, Tensor Norm1Bias, Tensor QueryKeyValue, Tensor Projection, Tensor ProjectionBias, Tensor Norm2Weight, Tensor Norm2Bias,
    Tensor Expand, Tensor ExpandBias, Tensor Contract, Tensor ContractBias)
{
    /// <summary>Tensors of a layer.</summary>
    public const int Count = 11;

    /// <summary>The inputs of the operation: x, then those of each layer in their order.</summary>
    public static Tensor?[] After(Tensor x, IReadOnlyList<BlockWeights> layers)
    {
        var inputs = new Tensor?[1 + Count * layers.Count];
        inputs[0] = x;
        for (int layer = 0; layer < layers.Count; layer++)
        {
            BlockWeights w = layers[layer];
            ReadOnlySpan<Tensor?> own = [w.Norm1Weight, w.Norm1Bias, w.QueryKeyValue, w.Projection, w.ProjectionBias, w.Norm2Weight, w.Norm2Bias,
                w.Expand, w.ExpandBias, w.Contract, w.ContractBias];
            own.CopyTo(inputs.AsSpan(1 + Count * layer));
        }
        return inputs;
    }

    /// <summary>Back from the operation's inputs.</summary>
    public static BlockWeights[] Of(Tensor?[] inputs)
    {
        var layers = new BlockWeights[(inputs.Length - 1) / Count];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            ReadOnlySpan<Tensor?> w = inputs.AsSpan(1 + Count * layer, Count);
            layers[layer] = new BlockWeights(w[0]!, w[1]!, w[2]!, w[3]!, w[4]!, w[5]!, w[6]!, w[7]!, w[8]!, w[9]!, w[10]!);
        }
        return layers;
    }
}

/// <summary>What layers work on.</summary>
/// <param name="Rows">The molecules.</param>
/// <param name="Settings">The layers' numbers; they differ in their windows.</param>
/// <param name="Width">h</param>
/// <param name="Inner">n</param>
internal sealed record StackShape(PackedRows Rows, TransformerSettings[] Settings, int Width, int Inner)
{
    public int Heads => Settings[0].Heads;

    public int HeadWidth => Width / Heads;

    public int Layers => Settings.Length;

    public int Tokens => Rows.Tokens;
}

/// <summary>How a batch is cut, and how sums over it are shared: by the data alone.</summary>
internal static class BlockParts
{
    /// <summary>What passes between two products of so many tokens fits a second-level cache at the widths that matter.</summary>
    public const int Tokens = 160;

    private const int Most = 16;

    private const long MostBytes = 64 << 20;

    /// <summary>How many sums of their own parts get, each of so many bytes.</summary>
    public static int Shares(int parts, long bytes) => (int)Math.Clamp(MostBytes / bytes, 1, Math.Min(Most, parts));

    /// <summary>Up to whole cache lines, whatever the number type.</summary>
    public static long Rounded(long count) => (count + 15) / 16 * 16;
}
