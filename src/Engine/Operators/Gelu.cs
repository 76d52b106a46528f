using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>GELU in its tanh form (Hendrycks and Gimpel 2016; "gelu_new"): x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).</summary>
public static class Gelu
{
    public static Tensor Apply(Tensor x) => nn.functional.gelu(x, GELU.Approximate.tanh);
}
