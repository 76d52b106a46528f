using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="PaiNNUpdate"/> as an autograd function. Inputs: q, mu, [a | b | c], V . W, [V | W].</summary>
internal sealed class PaiNNUpdateFunction : AutogradFunction
{
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor scalars, Tensor vectors, Tensor context, Tensor product, Tensor mixed)
    {
        using Tensor q = scalars.contiguous(), mu = vectors.contiguous(), x = context.contiguous(), s = product.contiguous(),
            vw = mixed.contiguous();
        Tensor[] outputs = new PaiNNUpdateFunction().Apply([q, mu, x, s, vw]);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor scalars = empty_like(inputs[0]!), vectors = empty_like(inputs[1]!);
        PaiNNMixingLaunch.Update(scalars.size(1), [.. inputs, scalars, vectors]);
        if (context.NeedsGradient) context.Save(inputs[2..]);
        return [scalars, vectors];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        Tensor product = inputs[1]!;
        Tensor scalars = gradients[0]?.contiguous() ?? zeros_like(product);
        Tensor vectors = gradients[1]?.contiguous() ?? zeros(product.size(0), 3, product.size(1), dtype: product.dtype,
            device: product.device);
        // q and mu are added as they are: their gradients pass.
        return [gradients[0]?.alias(), gradients[1]?.alias(), .. new Gradient().Apply([.. inputs, scalars, vectors])];
    }

    /// <summary>The backward pass, itself differentiable. Inputs: [a | b | c], V . W, [V | W] and the gradients of both results.</summary>
    private sealed class Gradient : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            Tensor[] by = [.. inputs.Take(3).Select(t => empty_like(t!))];
            PaiNNMixingLaunch.Update(inputs[1]!.size(1), [.. inputs, .. by]);
            if (context.NeedsGradient) context.Save(inputs);
            return by;
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            if (gradients.All(g => g is null)) return new Tensor?[5];
            Tensor?[] inputs = context.Saved();
            // A third derivative is wanted: the composed form has every order.
            if (is_grad_enabled()) return SecondOrder.Of(inputs, 3, gradients, Composed);
            Tensor[] by = [.. inputs.Select(t => empty_like(t!))];
            PaiNNMixingLaunch.Update(inputs[1]!.size(1), [.. inputs, .. gradients.Select(g => g?.contiguous()), .. by]);
            return by;
        }

        private static Tensor[] Composed(Tensor?[] inputs)
        {
            // What is added as it is has no part in these gradients.
            Tensor product = inputs[1]!, scalars = zeros_like(product);
            Tensor vectors = zeros(product.size(0), 3, product.size(1), dtype: product.dtype, device: product.device);
            (Tensor newScalars, Tensor newVectors) = PaiNNUpdate.Composed(scalars, vectors, inputs[0]!, product, inputs[2]!);
            return [newScalars, newVectors];
        }
    }
}
