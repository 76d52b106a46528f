using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// <see cref="PaiNNMessage"/> in chunks of pairs, as an autograd function: nothing as large as the edges is kept, filters are computed
/// again in each pass. Inputs: x, mu or null, u, [phi f | f], [W | bias].
/// </summary>
internal sealed class PaiNNMessageFunction(PairList pairs) : AutogradFunction
{
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor context, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        Tensor[] outputs = new PaiNNMessageFunction(pairs.Pairs).Apply(context, vectors, pairs.Directions, pairs.Radial, filter);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        if (context.NeedsGradient) context.Save(inputs);
        (Tensor scalars, Tensor vectors) = new PaiNNMessageSums(pairs, inputs[0]!, inputs[1], inputs[2]!, inputs[3]!, inputs[4]!).Forward();
        return [scalars, vectors];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        long atoms = inputs[0]!.size(0), features = inputs[0]!.size(1) / 3;
        Tensor scalars = gradients[0] ?? zeros([atoms, features], dtype: inputs[0]!.dtype);
        Tensor vectors = gradients[1] ?? zeros([atoms, 3, features], dtype: inputs[0]!.dtype);
        return PaiNNMessageGradient.Apply(pairs, inputs, scalars, vectors);
    }

    /// <summary>The backward pass as a function of its own, since training differentiates forces.</summary>
    private sealed class PaiNNMessageGradient(PairList pairs) : AutogradFunction
    {
        private const int Inputs = 5;

        /// <returns>Gradients by the five inputs, null by mu where there is none.</returns>
        public static Tensor?[] Apply(PairList pairs, Tensor?[] inputs, Tensor scalars, Tensor vectors)
        {
            Tensor[] outputs = new PaiNNMessageGradient(pairs).Apply([.. inputs, scalars, vectors]);
            return inputs[1] is null ? [outputs[0], null, .. outputs[1..]] : [.. outputs];
        }

        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            if (context.NeedsGradient) context.Save(inputs);
            return [.. Sums(inputs).Backward(inputs[Inputs]!, inputs[Inputs + 1]!).OfType<Tensor>()];
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            Tensor?[] inputs = context.Saved();
            Tensor?[] along = inputs[1] is null ? [gradients[0], null, .. gradients[1..]] : gradients;
            // Derivatives of forces by weights differentiated again, or third derivatives: rare enough for the composed form.
            return is_grad_enabled() || along[4] is not null
                ? SecondOrder.Of(inputs, Inputs, along, Composed)
                : Sums(inputs).DoubleBackward(inputs[Inputs]!, inputs[Inputs + 1]!, along[0], along[1], along[2], along[3]);
        }

        private Tensor[] Composed(Tensor?[] inputs)
        {
            var features = new PaiNNPairs(pairs, inputs[2]!, inputs[3]!);
            (Tensor scalars, Tensor vectors) = PaiNNMessage.Composed(inputs[0]!, inputs[1], features, inputs[4]!);
            return [scalars, vectors];
        }

        private PaiNNMessageSums Sums(Tensor?[] inputs) => new(pairs, inputs[0]!, inputs[1], inputs[2]!, inputs[3]!, inputs[4]!);
    }
}
