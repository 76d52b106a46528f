using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

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
