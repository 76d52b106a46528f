using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>A <see cref="ResidualBlock"/>, an activation, a linear layer.</summary>
internal sealed class ResidualMlp
{
    private readonly ResidualBlock residual;
    private readonly SwishActivation activation;
    private readonly Dense linear;

    public ResidualMlp(ModulePath at, int features, ParameterInit init, bool bias = true)
    {
        residual = new ResidualBlock(at.At("residual.stack.0"), features, init, bias);
        activation = at.Add("activation", new SwishActivation(features, init));
        linear = at.Add("linear", new Dense(features, features, init, bias));
    }

    public static long Count(long features, bool bias = true) =>
        ResidualBlock.Count(features, bias) + SwishActivation.Count(features) + Dense.Count(features, features, bias);

    /// <param name="x">(n, F)</param>
    /// <returns>(n, F)</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        return linear.Forward(activation.Forward(residual.Forward(x))).MoveToOuterDisposeScope();
    }
}
