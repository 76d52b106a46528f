using ChemScale.Engine.Operators.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>The head by library operations.</summary>
internal static class HeadLossComposed
{
    public static Tensor Apply(Tensor x, Tensor normWeight, Tensor normBias, Tensor table, Tensor targets, double epsilon, double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor hidden = LayerNorm.Composed(x, normWeight, normBias, epsilon);
        return CrossEntropy.Composed(Scores(hidden, table, scale), targets).MoveToOuterDisposeScope();
    }

    /// <param name="hidden">(..., h), after the norm.</param>
    /// <param name="table">(V, h)</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <returns>(..., V)</returns>
    public static Tensor Scores(Tensor hidden, Tensor table, double scale)
    {
        if (scale == 1) return nn.functional.linear(hidden, table);
        // On the narrower side of the product.
        using Tensor scaled = hidden * scale;
        return nn.functional.linear(scaled, table);
    }
}
