using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// Layers of GPT-Neo (Black et al. 2021) over packed molecules, one after the other: x += Wo attention(Wqkv norm1(x)) + bo;
/// x += W2 gelu(W1 norm2(x) + b1) + b2. The host form is one pass over all of them; elsewhere their operations choose their forms one by one.
/// </summary>
internal static class TransformerStack
{
    /// <param name="settings">What is no tensor, of each layer; they differ in their windows.</param>
    /// <param name="rows">The molecules.</param>
    /// <param name="x">(T, h)</param>
    /// <param name="weights">Of each layer, as <see cref="BlockWeights"/> names them; at least one.</param>
    /// <returns>(T, h)</returns>
    public static Tensor Apply(IReadOnlyList<TransformerSettings> settings, PackedRows rows, Tensor x, IReadOnlyList<BlockWeights> weights)
    {
        if (settings.All(s => s.Precision == AttentionPrecision.Weights) && !OperatorModes.UseKernels(x)
            && TransformerStackHost.Has(settings[0].Heads, weights[0], x) && OperatorModes.UseHost(x, TransformerStackHost.Pays(weights[0])))
        {
            return OperationFunction.Apply(new TransformerStackHost(settings, rows), BlockWeights.After(x, weights))[0]!;
        }
        using DisposeScope scope = NewDisposeScope();
        for (int layer = 0; layer < weights.Count; layer++) x = ByOperations(settings[layer], rows, x, weights[layer]);
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The second half of a layer, residual included: what decoding token by token has of it beside its attention.</summary>
    internal static Tensor FeedForward(TransformerSettings settings, Tensor x, in BlockWeights w)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor inner = LinearGelu.Apply(LayerNorm.Apply(x, w.Norm2Weight, w.Norm2Bias, settings.Epsilon), w.Expand, w.ExpandBias);
        return (x + nn.functional.linear(inner, w.Contract, w.ContractBias)).MoveToOuterDisposeScope();
    }

    private static Tensor ByOperations(TransformerSettings settings, PackedRows rows, Tensor x, in BlockWeights w)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor qkv = nn.functional.linear(LayerNorm.Apply(x, w.Norm1Weight, w.Norm1Bias, settings.Epsilon), w.QueryKeyValue);
        Tensor attended = Attention.Apply(qkv, rows, settings.Heads, settings.Window, settings.Scale, settings.Precision);
        return FeedForward(settings, x + nn.functional.linear(attended, w.Projection, w.ProjectionBias), w).MoveToOuterDisposeScope();
    }
}
