using ChemScale.Engine.Operators.Autograd;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// <see cref="ContinuousFilter"/> in chunks of pairs or in kernels, as an autograd function: nothing as large as the edges is kept, filters
/// are computed again in each pass. Inputs: h, phi, f, W1, b1, W2, b2.
/// </summary>
internal sealed class ContinuousFilterFunction(PairList pairs, Func<Tensor[], IContinuousFilterPasses> passes) : AutogradFunction
{
    public static Tensor Apply(
        Func<Tensor[], IContinuousFilterPasses> passes, Tensor features, in EdgeFeatures edges,
        Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2) =>
        new ContinuousFilterFunction(edges.Pairs, passes).Apply(features, edges.Radial, edges.Envelope, weight1, bias1, weight2, bias2)[0];

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        if (context.NeedsGradient) context.Save(inputs);
        return [passes(inputs!).Forward()];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients) =>
        gradients[0] is { } gradient
            ? new ContinuousFilterGradient(pairs, passes).Apply([.. context.Saved(), gradient])
            : new Tensor?[IContinuousFilterPasses.Inputs];

    /// <summary>The backward pass as a function of its own, since training differentiates forces.</summary>
    private sealed class ContinuousFilterGradient(PairList pairs, Func<Tensor[], IContinuousFilterPasses> passes) : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            if (context.NeedsGradient) context.Save(inputs);
            return passes(inputs!).Backward(inputs[^1]!);
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            Tensor?[] inputs = context.Saved();
            // Derivatives of forces by weights differentiated again, or third derivatives: rare enough for the composed form.
            return is_grad_enabled() || gradients.Skip(3).Any(g => g is not null)
                ? SecondOrder.Gradients(inputs, IContinuousFilterPasses.Inputs, gradients, Composed)
                : passes(inputs!).DoubleBackward(inputs[^1]!, gradients[0], gradients[1], gradients[2]);
        }

        private Tensor[] Composed(Tensor?[] inputs) =>
            [ContinuousFilter.Composed(inputs[0]!, pairs, inputs[1]!, inputs[2]!, inputs[3]!, inputs[4]!, inputs[5]!, inputs[6]!)];
    }
}
