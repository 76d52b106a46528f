using ChemScale.Engine.Operators.Autograd;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// <see cref="ContinuousFilter"/> in chunks of pairs, as an autograd function: of what is as large as the pairs only the layers
/// of the filter network are kept. Inputs: h, phi, f, W1, b1, W2, b2.
/// </summary>
internal sealed class ContinuousFilterFunction(PairList pairs) : AutogradFunction
{
    public static Tensor Apply(Tensor features, in EdgeFeatures edges, Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2)
    {
        using DisposeScope scope = NewDisposeScope();
        var function = new ContinuousFilterFunction(edges.Pairs);
        Tensor[] outputs = function.Apply(features, edges.Radial, edges.Envelope, weight1, bias1, weight2, bias2);
        return outputs[0].MoveToOuterDisposeScope();
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        (Tensor sum, Tensor[] layers) = new ContinuousFilterSums(pairs, inputs!, []).Forward(context.NeedsGradient);
        if (context.NeedsGradient) context.Save([.. inputs, .. layers]);
        return [sum];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients) =>
        gradients[0] is { } gradient
            ? new ContinuousFilterGradient(pairs).Apply([.. context.Saved(), gradient])
            : new Tensor?[ContinuousFilterSums.Inputs];

    /// <summary>The backward pass as a function of its own, since training differentiates forces.</summary>
    private sealed class ContinuousFilterGradient(PairList pairs) : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            if (context.NeedsGradient) context.Save(inputs);
            return Sums(inputs).Backward(inputs[^1]!);
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            const int Inputs = ContinuousFilterSums.Inputs;
            Tensor?[] saved = context.Saved();
            // Derivatives of forces by weights differentiated again, or third derivatives: rare enough for the composed form.
            Tensor?[] by = is_grad_enabled() || gradients.Skip(3).Any(g => g is not null)
                ? SecondOrder.Gradients([.. saved[..Inputs], saved[^1]], Inputs, gradients, Composed)
                : Sums(saved).DoubleBackward(saved[^1]!, gradients[0], gradients[1], gradients[2]);
            // The layers kept are functions of the other inputs, which have their gradients.
            return [.. by[..Inputs], null, null, null, by[Inputs]];
        }

        private ContinuousFilterSums Sums(Tensor?[] saved) =>
            new(pairs, saved[..ContinuousFilterSums.Inputs]!, saved[ContinuousFilterSums.Inputs..^1]!);

        private Tensor[] Composed(Tensor?[] inputs) =>
            [ContinuousFilter.Composed(inputs[0]!, pairs, inputs[1]!, inputs[2]!, inputs[3]!, inputs[4]!, inputs[5]!, inputs[6]!)];
    }
}
