using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.Radial;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// The backward pass of <see cref="RadialFunction"/>, a function of its own: training on forces differentiates it. Inputs: edge vectors,
/// centers, exponents, and the gradients of distances, directions, envelope and radial basis, null for zero.
/// </summary>
internal sealed class RadialBackwardFunction(RadialForm form) : AutogradFunction
{
    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor result = empty_like(inputs[0]!);
        RadialLaunch.Backward(form, inputs.AsSpan(0, 3), inputs.AsSpan(3), result);
        if (context.NeedsGradient) context.Save(inputs);
        return [result];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } cotangent) return new Tensor?[7];
        Tensor?[] saved = context.Saved();
        // A third derivative is wanted.
        if (is_grad_enabled()) return ComposedDerivatives.OfBackward(Composed, saved.AsSpan(0, 3), saved.AsSpan(3), [cotangent]);
        Tensor?[] results = [empty_like(saved[0]!), null, null, .. saved[3..].Select(g => g is null ? null : empty_like(g))];
        using Tensor contiguous = cotangent.contiguous();
        RadialLaunch.DoubleBackward(form, saved.AsSpan(0, 3), saved.AsSpan(3), contiguous, results[0]!, results.AsSpan(3));
        return results;
    }

    private Tensor[] Composed(Tensor?[] inputs)
    {
        (Tensor distances, Tensor directions, Tensor envelope, Tensor radial) =
            RadialBasisCutoff.Composed(inputs[0]!, new RadialFunctions(inputs[1]!, inputs[2], form.Cutoff, form.Power));
        return [distances, directions, envelope, radial];
    }
}
