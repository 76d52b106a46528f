using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="PaiNNInvariants"/> as an autograd function. Input: [V | W].</summary>
internal sealed class PaiNNInvariantsFunction(double epsilon) : AutogradFunction
{
    public static (Tensor Norm, Tensor Product) Apply(Tensor mixed, double epsilon)
    {
        using Tensor contiguous = mixed.contiguous();
        Tensor[] outputs = new PaiNNInvariantsFunction(epsilon).Apply(contiguous);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor mixed = inputs[0]!, norm = empty(mixed.size(0), mixed.size(2) / 2, dtype: mixed.dtype, device: mixed.device),
            product = empty_like(norm);
        PaiNNMixingLaunch.Invariants(mixed, epsilon, norm, product);
        if (context.NeedsGradient) context.Save(inputs);
        return [norm, product];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor mixed = context.Saved()[0]!;
        return new Gradient(epsilon).Apply(mixed, Given(gradients[0]), Given(gradients[1]));

        Tensor Given(Tensor? gradient) =>
            gradient?.contiguous() ?? zeros(mixed.size(0), mixed.size(2) / 2, dtype: mixed.dtype, device: mixed.device);
    }

    /// <summary>The backward pass, itself differentiable. Inputs: [V | W] and the gradients of norm and product.</summary>
    private sealed class Gradient(double epsilon) : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            Tensor byMixed = empty_like(inputs[0]!);
            PaiNNMixingLaunch.Invariants(inputs[0]!, epsilon, inputs[1]!, inputs[2]!, byMixed);
            if (context.NeedsGradient) context.Save(inputs);
            return [byMixed];
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            if (gradients[0] is not { } along) return new Tensor?[3];
            Tensor?[] inputs = context.Saved();
            // A third derivative is wanted: the composed form has every order.
            if (is_grad_enabled()) return SecondOrder.Of(inputs, 1, gradients, Composed);
            Tensor[] by = [.. inputs.Select(t => empty_like(t!))];
            PaiNNMixingLaunch.Invariants(inputs[0]!, epsilon, inputs[1]!, inputs[2]!, along.contiguous(), by[0], by[1], by[2]);
            return by;
        }

        private Tensor[] Composed(Tensor?[] inputs)
        {
            (Tensor norm, Tensor product) = PaiNNInvariants.Composed(inputs[0]!, epsilon);
            return [norm, product];
        }
    }
}
