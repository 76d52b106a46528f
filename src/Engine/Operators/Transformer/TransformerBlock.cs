using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// One layer of GPT-Neo (Black et al. 2021) over packed molecules: x += Wo attention(Wqkv norm1(x)) + bo; x += W2 gelu(W1 norm2(x) + b1) + b2.
/// The host form is one pass over all of it; elsewhere its operations choose their forms one by one.
/// </summary>
internal static class TransformerBlock
{
    /// <param name="settings">What is no tensor.</param>
    /// <param name="rows">The molecules.</param>
    /// <param name="x">(T, h)</param>
    /// <param name="weights">As <see cref="BlockWeights"/> names them.</param>
    /// <returns>(T, h)</returns>
    public static Tensor Apply(TransformerSettings settings, PackedRows rows, Tensor x, in BlockWeights weights)
    {
        if (settings.Precision == AttentionPrecision.Weights && !OperatorModes.UseKernels(x)
            && TransformerBlockHost.Has(settings, weights, x) && OperatorModes.UseHost(x, TransformerBlockHost.Pays(weights)))
        {
            return OperationFunction.Apply(new TransformerBlockHost(settings, rows), weights.After(x))[0]!;
        }
        return ByOperations(settings, rows, x, weights);
    }

    /// <summary>The second half, residual included: what decoding token by token has of the layer beside its attention.</summary>
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
