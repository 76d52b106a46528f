using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>Layer norm (Ba et al. 2016) over the last dimension: (x - mean) / sqrt(variance + epsilon) weight + bias.</summary>
public static class LayerNorm
{
    /// <param name="x">(..., h)</param>
    /// <param name="weight">(h)</param>
    /// <param name="bias">(h)</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>As <paramref name="x"/>.</returns>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor bias, double epsilon) =>
        OperatorModes.UseKernels(x) ? LayerNormKernelsFunction.Apply(x, weight, bias, epsilon) : Composed(x, weight, bias, epsilon);

    internal static Tensor Composed(Tensor x, Tensor weight, Tensor bias, double epsilon) =>
        nn.functional.layer_norm(x, [weight.numel()], weight, bias, epsilon);
}
