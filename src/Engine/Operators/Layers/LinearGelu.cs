using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>
/// gelu(x weight^T + bias), GELU in its tanh form. By kernels the bias goes with the activation, which reads and writes the product anyway.
/// </summary>
public static class LinearGelu
{
    /// <param name="x">(T, h)</param>
    /// <param name="weight">(n, h)</param>
    /// <param name="bias">(n)</param>
    /// <returns>(T, n)</returns>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor bias)
    {
        bool kernels = OperatorModes.UseKernels(x);
        using Tensor inner = nn.functional.linear(x, weight, kernels ? null : bias);
        return kernels ? LinearGeluKernelsFunction.Apply(inner, bias) : Gelu.Apply(inner);
    }

    /// <summary>The activation alone: gelu(x + bias).</summary>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    internal static Tensor Activation(Tensor x, Tensor bias) =>
        OperatorModes.UseKernels(x) ? LinearGeluKernelsFunction.Apply(x, bias) : Composed(x, bias);

    internal static Tensor Composed(Tensor x, Tensor bias)
    {
        using Tensor shifted = x + bias;
        return Gelu.Composed(shifted);
    }
}
