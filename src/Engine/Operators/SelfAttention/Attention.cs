using System.Runtime.Intrinsics;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SelfAttention;

/// <summary>
/// Causal multi-head attention within each molecule of a packed batch:
/// o_i = sum_j softmax_j(scale q_i . k_j) v_j over j &lt;= i and, with a window w, j > i - w.
/// </summary>
public static class Attention
{
    /// <summary>
    /// Longer molecules go to the library's operation on CUDA, where products are made in the weights' type. A guess until the crossover
    /// is measured on a device.
    /// </summary>
    internal const int LongestOfKernels = 2048;

    /// <param name="qkv">(T, 3 h): queries, keys, values side by side; head a owns columns a h/heads .. of each.</param>
    /// <param name="rows">The molecules of the batch.</param>
    /// <param name="heads">Number of heads; divides h.</param>
    /// <param name="window">Reach in tokens, the query's own included; 0: unlimited.</param>
    /// <param name="scale">Factor on the scores. GPT-Neo has 1, not 1/sqrt(h/heads).</param>
    /// <param name="precision">What products are made in.</param>
    /// <returns>(T, h)</returns>
    /// <exception cref="InputException">The precision is not to be had for such a tensor.</exception>
    public static Tensor Apply(
        Tensor qkv, PackedRows rows, int heads, int window = 0, double scale = 1,
        AttentionPrecision precision = AttentionPrecision.Weights)
    {
        // A window no molecule reaches is none.
        if (window >= rows.Longest) window = 0;
        if (precision != AttentionPrecision.Weights)
        {
            AttentionPrecisions.Require(precision, qkv, (int)(qkv.size(1) / 3 / heads));
            return AttentionKernelsFunction.Apply(qkv, rows, heads, window, scale, precision);
        }
        if (rows.Longest > LongestOfKernels && UseKernels(qkv, heads) && qkv.device_type == DeviceType.CUDA)
            return AttentionLibrary.Apply(qkv, rows, heads, window, scale);
        if (UseKernels(qkv, heads)) return AttentionKernelsFunction.Apply(qkv, rows, heads, window, scale, precision);
        return OperatorModes.UseHost(qkv, Pays(qkv))
            ? AttentionHostFunction.Apply(qkv, rows, heads, window, scale)
            : AttentionComposed.Apply(qkv, rows, heads, window, scale);
    }

    /// <summary>Other head widths take the composed form, whose products waste nothing there.</summary>
    private static bool UseKernels(Tensor qkv, int heads) =>
        OperatorModes.UseKernels(qkv) && qkv.size(1) / 3 % heads == 0 && AttentionGrid.Has((int)(qkv.size(1) / 3 / heads));

    private static bool Pays(Tensor qkv) => qkv.dtype is ScalarType.Float32 or ScalarType.Float64 && Vector256.IsHardwareAccelerated;
}

/// <summary>The numbers of one attention call. Window 0: unlimited.</summary>
internal sealed record AttentionShape(
    PackedRows Rows, int Heads, int HeadWidth, int Window, double Scale, AttentionPrecision Precision = AttentionPrecision.Weights)
{
    public int Width => Heads * HeadWidth;
}

/// <summary>
/// Attention by the library's own fused operation on the padded view, whose memory grows with L where there is no window. First
/// derivatives only.
/// </summary>
internal static class AttentionLibrary
{
    public static Tensor Apply(Tensor qkv, PackedRows rows, int heads, int window, double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor q, Tensor k, Tensor v) = AttentionComposed.Padded(qkv, rows, heads);
        // The operation divides the scores by sqrt(d).
        double own = scale * Math.Sqrt(q.size(3));
        Tensor? mask = window > 0 ? AttentionComposed.Mask(rows.Longest, window, qkv) : null;
        Tensor output = nn.functional.scaled_dot_product_attention(q * own, k, v, mask, 0, mask is null);
        return AttentionComposed.Packed(output, rows).MoveToOuterDisposeScope();
    }
}
