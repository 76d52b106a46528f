using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The sums of the absolute values of the terms of attention, by which rounding is measured: dense over the whole batch.</summary>
internal static class AttentionTerms
{
    /// <returns>(T, h) for the output and (T, 3 h) for the gradient</returns>
    public static (Tensor Output, Tensor Gradient) Of(
        Tensor qkv, Tensor outputGradient, PackedRows rows, int heads, int window, double scale)
    {
        long tokens = qkv.size(0), d = qkv.size(1) / 3 / heads;
        Tensor q = Heads(qkv, 0), k = Heads(qkv, 1), v = Heads(qkv, 2), g = outputGradient.view(tokens, heads, d).transpose(0, 1).abs();
        Tensor scores = q.matmul(k.transpose(1, 2)) * scale;
        Tensor p = nn.functional.softmax(scores.masked_fill(Hidden(rows, window), double.NegativeInfinity), -1);
        Tensor o = p.matmul(v.abs());
        Tensor ds = p * (g.matmul(v.abs().transpose(1, 2)) + (g * o).sum(-1, keepdim: true)) * scale;
        return (Flat(o), cat([Flat(ds.matmul(k.abs())), Flat(ds.transpose(1, 2).matmul(q.abs())), Flat(p.transpose(1, 2).matmul(g))], 1));

        Tensor Heads(Tensor all, int part) => all.view(tokens, 3, heads, d).select(1, part).transpose(0, 1);

        Tensor Flat(Tensor x) => x.transpose(0, 1).reshape(tokens, heads * d);
    }

    private static Tensor Hidden(PackedRows rows, int window)
    {
        var hidden = new bool[rows.Tokens, rows.Tokens];
        var molecule = new List<int>();
        for (int b = 0; b < rows.Molecules; b++) molecule.AddRange(Enumerable.Repeat(b, rows.Starts[b + 1] - rows.Starts[b]));
        for (int i = 0; i < rows.Tokens; i++)
        {
            for (int j = 0; j < rows.Tokens; j++) hidden[i, j] = j > i || molecule[i] != molecule[j] || (window > 0 && j <= i - window);
        }
        return tensor(hidden);
    }
}
