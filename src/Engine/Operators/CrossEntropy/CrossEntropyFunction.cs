using ChemScale.Engine.Operators.Differentiation;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The kernels of <see cref="CrossEntropy"/> as an autograd function. Inputs: logits, targets.</summary>
internal sealed class CrossEntropyFunction : AutogradFunction
{
    private static readonly CrossEntropyFunction Instance = new();

    public static Tensor Apply(Tensor logits, Tensor targets)
    {
        using Tensor contiguous = logits.contiguous(), contiguousTargets = targets.contiguous();
        return Instance.Apply([contiguous, contiguousTargets])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor logits = inputs[0]!, targets = inputs[1]!;
        Tensor loss = Make(), counted = Make(), tops = Make(targets.numel()), sums = empty_like(tops);
        CrossEntropyLaunch.Forward(logits, targets, tops, sums, loss, counted);
        if (context.NeedsGradient)
        {
            context.Save(logits, targets, tops, sums, counted);
        }
        else
        {
            tops.Dispose();
            sums.Dispose();
            counted.Dispose();
        }
        return [loss];

        Tensor Make(params long[] shape) => empty(shape, dtype: logits.dtype, device: logits.device);
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } gradient) return new Tensor?[2];
        Tensor?[] saved = context.Saved();
        // A second derivative is wanted.
        if (is_grad_enabled())
        {
            return ComposedDerivatives.OfForward(
                inputs => [CrossEntropy.Composed(inputs[0]!, inputs[1]!)], saved.AsSpan(0, 2), [gradient]);
        }
        Tensor result = empty_like(saved[0]!);
        CrossEntropyLaunch.Backward(gradient, saved, result);
        return [result, null];
    }
}
