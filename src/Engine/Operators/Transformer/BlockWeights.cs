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
    /// <summary>The inputs of the operation: x, then these in their order.</summary>
    public Tensor?[] After(Tensor x) =>
        [x, Norm1Weight, Norm1Bias, QueryKeyValue, Projection, ProjectionBias, Norm2Weight, Norm2Bias, Expand, ExpandBias, Contract, ContractBias];

    /// <summary>Back from the operation's inputs.</summary>
    public static BlockWeights Of(ReadOnlySpan<Tensor?> inputs) =>
        new(inputs[1]!, inputs[2]!, inputs[3]!, inputs[4]!, inputs[5]!, inputs[6]!, inputs[7]!, inputs[8]!, inputs[9]!, inputs[10]!, inputs[11]!);
}

/// <summary>What a layer works on.</summary>
/// <param name="Rows">The molecules.</param>
/// <param name="Settings">The layer's numbers.</param>
/// <param name="Width">h</param>
/// <param name="Inner">n</param>
internal sealed record BlockShape(PackedRows Rows, TransformerSettings Settings, int Width, int Inner)
{
    public int HeadWidth => Width / Settings.Heads;

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
