using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.SelfAttention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>The layers by library operations.</summary>
internal static class TransformerStackComposed
{
    public static Tensor Apply(IReadOnlyList<TransformerSettings> settings, PackedRows rows, Tensor x, IReadOnlyList<BlockWeights> weights)
    {
        using DisposeScope scope = NewDisposeScope();
        for (int layer = 0; layer < weights.Count; layer++) x = Layer(settings[layer], rows, x, weights[layer]);
        return x.MoveToOuterDisposeScope();
    }

    private static Tensor Layer(TransformerSettings settings, PackedRows rows, Tensor x, in BlockWeights w)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor qkv = nn.functional.linear(LayerNorm.Composed(x, w.Norm1Weight, w.Norm1Bias, settings.Epsilon), w.QueryKeyValue);
        int window = settings.Window >= rows.Longest ? 0 : settings.Window;
        Tensor attended = AttentionComposed.Apply(qkv, rows, settings.Heads, window, settings.Scale);
        x = x + nn.functional.linear(attended, w.Projection, w.ProjectionBias);
        Tensor inner = Gelu.Composed(nn.functional.linear(LayerNorm.Composed(x, w.Norm2Weight, w.Norm2Bias, settings.Epsilon), w.Expand, w.ExpandBias));
        return (x + nn.functional.linear(inner, w.Contract, w.ContractBias)).MoveToOuterDisposeScope();
    }
}
