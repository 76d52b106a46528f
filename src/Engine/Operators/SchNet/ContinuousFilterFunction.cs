using ChemScale.Engine.Operators.Differentiation;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// <see cref="ContinuousFilter"/> in chunks of pairs or in kernels, as an autograd function: of what is as large as the pairs at most the
/// layers of the filter network are kept. Inputs: h, phi, f, W1, b1, W2, b2.
/// </summary>
/// <param name="pairs">The edges.</param>
/// <param name="passes">From the inputs, and the layers that a forward pass kept.</param>
internal sealed class ContinuousFilterFunction(PairList pairs, Func<Tensor[], Tensor[], IContinuousFilterPasses> passes) : AutogradFunction
{
    private const int Inputs = IContinuousFilterPasses.Inputs;

    public static Tensor Apply(Func<Tensor[], Tensor[], IContinuousFilterPasses> passes, Tensor features, in EdgeFeatures edges,
        Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2)
    {
        using DisposeScope scope = NewDisposeScope();
        var function = new ContinuousFilterFunction(edges.Pairs, passes);
        Tensor[] outputs = function.Apply(features, edges.Radial, edges.Envelope, weight1, bias1, weight2, bias2);
        return outputs[0].MoveToOuterDisposeScope();
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        (Tensor sum, Tensor[] layers) = passes(inputs!, []).Forward(context.NeedsGradient);
        if (context.NeedsGradient) context.Save([.. inputs, .. layers]);
        return [sum];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients) =>
        gradients[0] is { } gradient ? new Gradient(pairs, passes).Apply([.. context.Saved(), gradient]) : new Tensor?[Inputs];

    /// <summary>The backward pass as a function of its own, since training differentiates forces.</summary>
    private sealed class Gradient(PairList pairs, Func<Tensor[], Tensor[], IContinuousFilterPasses> passes) : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            if (context.NeedsGradient) context.Save(inputs);
            return Passes(inputs).Backward(inputs[^1]!);
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            Tensor?[] saved = context.Saved();
            // Derivatives of forces by weights differentiated again, or third derivatives: rare enough for the composed form.
            Tensor?[] by = is_grad_enabled() || gradients.Skip(3).Any(g => g is not null)
                ? SecondOrder.Of([.. saved[..Inputs], saved[^1]], Inputs, gradients, Composed)
                : Passes(saved).DoubleBackward(saved[^1]!, gradients[0], gradients[1], gradients[2]);
            // The layers kept are functions of the other inputs, which have their gradients.
            return [.. by[..Inputs], .. new Tensor?[saved.Length - Inputs - 1], by[Inputs]];
        }

        private IContinuousFilterPasses Passes(Tensor?[] saved) => passes(saved[..Inputs]!, saved[Inputs..^1]!);

        private Tensor[] Composed(Tensor?[] inputs) =>
            [ContinuousFilter.Composed(inputs[0]!, pairs, inputs[1]!, inputs[2]!, inputs[3]!, inputs[4]!, inputs[5]!, inputs[6]!)];
    }
}
