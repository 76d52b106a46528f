using ChemScale.Engine.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>a x sigmoid(b x) with a and b learned for each feature; at first a = 1, b = 1.702, close to GELU (Unke et al. 2021).</summary>
internal sealed class SwishActivation : nn.Module
{
    private readonly Parameter alpha;
    private readonly Parameter beta;

    public SwishActivation(int features, ParameterInit init)
        : base(nameof(SwishActivation))
    {
        alpha = init.Constant(1, features);
        beta = init.Constant(1.702, features);
        register_parameter("alpha", alpha);
        register_parameter("beta", beta);
    }

    public static long Count(long features) => 2 * features;

    /// <param name="x">(..., F)</param>
    /// <returns>(..., F)</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        return (alpha * x * (beta * x).sigmoid()).MoveToOuterDisposeScope();
    }
}
