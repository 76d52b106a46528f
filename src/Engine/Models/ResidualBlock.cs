using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>x + W2 s(W1 s(x) + b1) + b2, s a <see cref="SwishActivation"/>. W2 starts at zero: the block as the identity.</summary>
internal sealed class ResidualBlock
{
    private readonly SwishActivation activation1;
    private readonly Dense linear1;
    private readonly SwishActivation activation2;
    private readonly Dense linear2;

    public ResidualBlock(ModulePath at, int features, ParameterInit init, bool bias = true)
    {
        activation1 = at.Add("activation1", new SwishActivation(features, init));
        linear1 = at.Add("linear1", new Dense(features, features, init, bias));
        activation2 = at.Add("activation2", new SwishActivation(features, init));
        linear2 = at.Add("linear2", new Dense(features, features, init, bias));
        using (no_grad()) linear2.Weight.zero_();
    }

    public static long Count(long features, bool bias = true) => 2 * SwishActivation.Count(features) + 2 * Dense.Count(features, features, bias);

    /// <param name="x">(n, F)</param>
    /// <returns>(n, F)</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor inner = linear1.Forward(activation1.Forward(x));
        return (x + linear2.Forward(activation2.Forward(inner))).MoveToOuterDisposeScope();
    }
}
