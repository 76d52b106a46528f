using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// The backward pass of <see cref="PaiNNMessageKernelFunction"/>, a function of its own: training on forces differentiates it. Inputs:
/// those of the message, then the gradients of dq and dmu.
/// </summary>
internal sealed class PaiNNMessageKernelGradient(EdgeList edges) : AutogradFunction
{
    private const int Inputs = 5;

    /// <returns>Gradients by the five inputs of the message, null by mu where there is none.</returns>
    public static Tensor?[] Apply(EdgeList edges, Tensor?[] inputs)
    {
        Tensor[] outputs = new PaiNNMessageKernelGradient(edges).Apply(inputs);
        return inputs[1] is null ? [outputs[0], null, .. outputs[1..]] : [.. outputs];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        if (context.NeedsGradient) context.Save(inputs);
        return [.. PaiNNMessageLaunch.Backward(edges, inputs).OfType<Tensor>()];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        Tensor?[] along = inputs[1] is null ? [gradients[0], null, .. gradients[1..]] : gradients;
        // Derivatives of forces by weights differentiated again, or third derivatives: rare enough for the composed form.
        if (is_grad_enabled() || along[4] is not null) return SecondOrder.Of(inputs, Inputs, along, Composed);
        return PaiNNMessageLaunch.DoubleBackward(edges, inputs, along);
    }

    private Tensor[] Composed(Tensor?[] inputs)
    {
        var pairs = new PaiNNPairs(edges.OneWay, inputs[2]!, inputs[3]!);
        (Tensor scalars, Tensor vectors) = PaiNNMessage.Composed(inputs[0]!, inputs[1], pairs, inputs[4]!);
        return [scalars, vectors];
    }
}
