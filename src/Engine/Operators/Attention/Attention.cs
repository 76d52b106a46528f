using System.Runtime.Intrinsics;
using ChemScale.Kernels.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

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
            return AttentionKernelFunction.Apply(qkv, rows, heads, window, scale, precision);
        }
        if (rows.Longest > LongestOfKernels && UseKernels(qkv, heads) && qkv.device_type == DeviceType.CUDA)
            return AttentionLibrary.Apply(qkv, rows, heads, window, scale);
        if (UseKernels(qkv, heads)) return AttentionKernelFunction.Apply(qkv, rows, heads, window, scale, precision);
        return OperatorModes.UseHost(qkv, Pays(qkv))
            ? AttentionFunction.Apply(qkv, rows, heads, window, scale)
            : AttentionComposed.Apply(qkv, rows, heads, window, scale);
    }

    /// <summary>Other head widths take the composed form, whose products waste nothing there.</summary>
    private static bool UseKernels(Tensor qkv, int heads) =>
        OperatorModes.UseKernels(qkv) && qkv.size(1) / 3 % heads == 0 && AttentionGrid.Has((int)(qkv.size(1) / 3 / heads));

    private static bool Pays(Tensor qkv) => qkv.dtype is ScalarType.Float32 or ScalarType.Float64 && Vector256.IsHardwareAccelerated;
}
