using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="PaiNNMessage"/> as an autograd function. Inputs: x, mu or null, u, [phi f | f], [W | bias].</summary>
internal sealed class PaiNNMessageKernelFunction(EdgeList edges) : AutogradFunction
{
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor context, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        using Tensor x = context.contiguous(), u = pairs.Directions.contiguous(), r = pairs.Radial.contiguous();
        using Tensor? mu = vectors?.contiguous();
        Tensor[] outputs = new PaiNNMessageKernelFunction(pairs.Edges!).Apply(x, mu, u, r, filter);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        if (context.NeedsGradient) context.Save(inputs);
        return PaiNNMessageLaunch.Forward(edges, inputs);
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        Tensor x = inputs[0]!;
        long atoms = x.size(0), features = x.size(1) / 3;
        Tensor scalars = gradients[0]?.contiguous() ?? zeros(atoms, features, dtype: x.dtype, device: x.device);
        Tensor vectors = gradients[1]?.contiguous() ?? zeros(atoms, 3, features, dtype: x.dtype, device: x.device);
        return PaiNNMessageKernelGradient.Apply(edges, [.. inputs, scalars, vectors]);
    }
}
