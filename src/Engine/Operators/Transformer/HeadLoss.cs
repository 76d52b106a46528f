using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// What a language model ends in: final norm, scores of the next token by the tied table, and their mean cross-entropy. The host form never
/// holds the scores of more than a part of the tokens.
/// </summary>
internal static class HeadLoss
{
    /// <param name="x">(T, h)</param>
    /// <param name="normWeight">(h)</param>
    /// <param name="normBias">(h)</param>
    /// <param name="table">(V, h)</param>
    /// <param name="targets">(T) int64, 0 .. V - 1, or <see cref="CrossEntropy.Ignored"/></param>
    /// <param name="rows">The molecules.</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <returns>A scalar in nats a token that counts; NaN where none does.</returns>
    public static Tensor Apply(Tensor x, Tensor normWeight, Tensor normBias, Tensor table, Tensor targets, PackedRows rows, double epsilon, double scale)
    {
        if (!OperatorModes.UseKernels(x) && HeadLossHost.Has(x, table) && OperatorModes.UseHost(x, x.size(-1) <= TransformerStackHost.WidestOfUse))
            return OperationFunction.Apply(new HeadLossHost(targets, rows, epsilon, scale), x, normWeight, normBias, table)[0]!;
        using DisposeScope scope = NewDisposeScope();
        Tensor scores = HeadLossComposed.Scores(LayerNorm.Apply(x, normWeight, normBias, epsilon), table, scale);
        return CrossEntropy.Apply(scores, targets).MoveToOuterDisposeScope();
    }
}
