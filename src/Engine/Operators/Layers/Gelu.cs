using System.Runtime.Intrinsics;
using ChemScale.Engine.Operators.Runs;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>GELU in its tanh form (Hendrycks and Gimpel 2016; "gelu_new"): x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).</summary>
public static class Gelu
{
    public static Tensor Apply(Tensor x) => OperatorModes.UseHost(x, Pays(x)) ? GeluHostFunction.Apply(x) : Composed(x);

    internal static Tensor Composed(Tensor x) => nn.functional.gelu(x, GELU.Approximate.tanh);

    /// <summary>The library's float64 form is as fast.</summary>
    private static bool Pays(Tensor x) => x.dtype == ScalarType.Float32 && Vector256.IsHardwareAccelerated;
}
