using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SelfAttention;

/// <summary>Attention from library operations on the padded view (B, heads, L, d): the oracle, differentiable to any order.</summary>
internal static class AttentionComposed
{
    public static Tensor Apply(Tensor qkv, PackedRows rows, int heads, int window, double scale)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor q, Tensor k, Tensor v) = Padded(qkv, rows, heads);

        // Padding needs no mask of its own: padded slots come after every real query.
        Tensor scores = q.matmul(k.transpose(-2, -1));
        if (scale != 1) scores = scores * scale;
        Tensor weights = nn.functional.softmax(scores + Mask(rows.Longest, window, qkv), -1);
        return Packed(weights.matmul(v), rows).MoveToOuterDisposeScope();
    }

    /// <summary>Three times (B, heads, L, d).</summary>
    public static (Tensor Q, Tensor K, Tensor V) Padded(Tensor qkv, PackedRows rows, int heads)
    {
        // (B L, 3 h) -> (3, B, heads, L, d)
        Tensor padded = qkv.index_select(0, rows.PaddedIndex(qkv.device))
            .view(rows.Molecules, rows.Longest, 3, heads, qkv.size(1) / 3 / heads).permute(2, 0, 3, 1, 4);
        return (padded.select(0, 0), padded.select(0, 1), padded.select(0, 2));
    }

    /// <summary>(B, heads, L, d) to (T, h).</summary>
    public static Tensor Packed(Tensor output, PackedRows rows) =>
        output.permute(0, 2, 1, 3).reshape(rows.Molecules * rows.Longest, output.size(1) * output.size(3))
            .index_select(0, rows.UnpaddedIndex(output.device));

    /// <summary>(L, L): 0 where query i sees key j, minus infinity elsewhere.</summary>
    public static Tensor Mask(int longest, int window, Tensor like)
    {
        Tensor visible = ones(longest, longest, dtype: ScalarType.Bool, device: like.device).tril();
        if (window > 0) visible = visible.logical_and(ones(longest, longest, dtype: ScalarType.Bool, device: like.device).triu(1 - window));
        return zeros(longest, longest, dtype: like.dtype, device: like.device).masked_fill(visible.logical_not(), double.NegativeInfinity);
    }
}
