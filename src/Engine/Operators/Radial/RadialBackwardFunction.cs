using ChemScale.Engine.Operators.Autograd;
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
        RadialLaunch.Backward(form, inputs[0]!, inputs[1]!, inputs[2], inputs.AsSpan(3), result);
        if (context.NeedsGradient) context.Save(inputs);
        return [result];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } cotangent) return new Tensor?[7];
        Tensor?[] saved = context.Saved();
        if (is_grad_enabled()) return Composed(saved, cotangent);
        Tensor?[] results = [empty_like(saved[0]!), null, null, .. saved[3..].Select(g => g is null ? null : empty_like(g))];
        using Tensor contiguous = cotangent.contiguous();
        RadialLaunch.DoubleBackward(form, saved[0]!, saved[1]!, saved[2], saved.AsSpan(3), contiguous, results[0]!, results.AsSpan(3));
        return results;
    }

    /// <summary>A third derivative is wanted: the composed form has every order.</summary>
    private Tensor?[] Composed(Tensor?[] saved, Tensor cotangent)
    {
        Tensor vectors = saved[0]!.requires_grad ? saved[0]! : saved[0]!.detach().requires_grad_();
        (Tensor distances, Tensor directions, Tensor envelope, Tensor radial) =
            RadialBasisCutoff.Composed(vectors, new RadialFunctions(saved[1]!, saved[2], form.Cutoff, form.Power));
        Tensor[] outputs = [distances, directions, envelope, radial];
        int[] given = [.. Enumerable.Range(0, 4).Where(i => saved[3 + i] is not null)];
        Tensor first = autograd.grad([.. given.Select(i => outputs[i])], [vectors], [.. given.Select(i => saved[3 + i]!)], true, true)[0];
        int[] wanted = [.. Enumerable.Range(0, 7).Where(i => saved[i] is { requires_grad: true })];
        IList<Tensor> second = autograd.grad([first], [.. wanted.Select(i => saved[i]!)], [cotangent], true, true, true);
        var results = new Tensor?[7];
        for (int i = 0; i < wanted.Length; i++) results[wanted[i]] = second[i] is { IsInvalid: false } g ? g : null;
        return results;
    }
}
