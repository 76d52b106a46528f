using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.Radial;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="RadialBasisCutoff"/> as an autograd function.</summary>
internal sealed class RadialFunction(RadialForm form) : AutogradFunction
{
    /// <returns>(edges, 1), (edges, 3), (edges, 1), (edges, K)</returns>
    public static (Tensor Distances, Tensor Directions, Tensor Envelope, Tensor Radial) Apply(
        Tensor edgeVectors, in RadialFunctions functions)
    {
        var form = new RadialForm(functions.Exponents is not null, functions.Cutoff, functions.Power);
        using Tensor contiguous = edgeVectors.contiguous();
        Tensor[] outputs = new RadialFunction(form).Apply([contiguous, functions.Centers, functions.Exponents]);
        return (outputs[0], outputs[1], outputs[2], outputs[3]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor vectors = inputs[0]!;
        long edges = vectors.size(0);
        Tensor[] outputs = [Make(1), Make(3), Make(1), Make(inputs[1]!.numel())];
        RadialLaunch.Forward(form, inputs, outputs);
        if (context.NeedsGradient) context.Save(inputs);
        return outputs;

        Tensor Make(long columns) => empty(edges, columns, dtype: vectors.dtype, device: vectors.device);
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients.All(g => g is null)) return new Tensor?[3];
        Tensor?[] contiguous = [.. gradients.Select(g => g?.contiguous())];
        return [new RadialBackwardFunction(form).Apply([.. context.Saved(), .. contiguous])[0], null, null];
    }
}
