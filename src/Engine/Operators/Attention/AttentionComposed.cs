using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Attention from library operations on the padded view (B, heads, L, d): the oracle, differentiable to any order.</summary>
internal static class AttentionComposed
{
    public static Tensor Apply(Tensor qkv, PackedRows rows, int heads, int window, double scale)
    {
        long width = qkv.size(1) / 3, d = width / heads;
        int molecules = rows.Molecules, longest = rows.Longest;
        using DisposeScope scope = torch.NewDisposeScope();

        // (B L, 3 h) -> (3, B, heads, L, d)
        Tensor padded = qkv.index_select(0, rows.PaddedIndex(qkv.device)).view(molecules, longest, 3, heads, d).permute(2, 0, 3, 1, 4);
        Tensor q = padded.select(0, 0), k = padded.select(0, 1), v = padded.select(0, 2);

        // Padding needs no mask of its own: padded slots come after every real query.
        Tensor scores = q.matmul(k.transpose(-2, -1));
        if (scale != 1) scores = scores * scale;
        Tensor weights = nn.functional.softmax(scores + Mask(longest, window, qkv), -1);
        Tensor output = weights.matmul(v).permute(0, 2, 1, 3).reshape(molecules * longest, width);
        return output.index_select(0, rows.UnpaddedIndex(qkv.device)).MoveToOuterDisposeScope();
    }

    /// <summary>(L, L): 0 where query i sees key j, minus infinity elsewhere.</summary>
    private static Tensor Mask(int longest, int window, Tensor like)
    {
        Tensor visible = ones(longest, longest, dtype: ScalarType.Bool, device: like.device).tril();
        if (window > 0) visible = visible.logical_and(ones(longest, longest, dtype: ScalarType.Bool, device: like.device).triu(1 - window));
        return zeros(longest, longest, dtype: like.dtype, device: like.device).masked_fill(visible.logical_not(), double.NegativeInfinity);
    }
}
