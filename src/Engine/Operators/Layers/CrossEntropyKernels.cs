using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.CrossEntropy;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Layers;

/// <summary>The kernels of <see cref="CrossEntropy"/> as an autograd function. Inputs: logits, targets.</summary>
internal sealed class CrossEntropyKernelsFunction : AutogradFunction
{
    private static readonly CrossEntropyKernelsFunction Instance = new();

    public static Tensor Apply(Tensor logits, Tensor targets)
    {
        using Tensor contiguous = logits.contiguous(), contiguousTargets = targets.contiguous();
        return Instance.Apply([contiguous, contiguousTargets])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor logits = inputs[0]!, targets = inputs[1]!;
        Tensor loss = Make(), counted = Make(), tops = Make(targets.numel()), sums = empty_like(tops);
        CrossEntropyKernels.Forward(logits, targets, tops, sums, loss, counted);
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
        CrossEntropyKernels.Backward(gradient, saved, result);
        return [result, null];
    }
}

/// <summary>
/// Hands tensors to the cross-entropy's kernels: all contiguous, of one number type. What the forward pass saves is logits, targets, the
/// rows' largest numbers and sums, and how many count.
/// </summary>
internal static class CrossEntropyKernels
{
    public static void Forward(Tensor logits, Tensor targets, Tensor tops, Tensor sums, Tensor loss, Tensor counted)
    {
        using Tensor losses = empty_like(tops);
        using Tensor partials = empty(RowChunks.Count(targets.numel()), 2, dtype: loss.dtype, device: loss.device);
        if (loss.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            CrossEntropyLauncher<T, TReal>.Forward(
                Device(loss), Array<T>(logits), Array<long>(targets), CrossEntropy.Ignored, Array<T>(tops), Array<T>(sums),
                Array<T>(losses), Array<T>(partials), Array<T>(loss), Array<T>(counted));
    }

    public static void Backward(Tensor gradient, Tensor?[] saved, Tensor result)
    {
        if (result.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            CrossEntropyLauncher<T, TReal>.Backward(
                Device(result), Array<T>(gradient), Array<T>(saved[0]), Array<long>(saved[1]), CrossEntropy.Ignored,
                Array<T>(saved[2]), Array<T>(saved[3]), Array<T>(saved[4]), Array<T>(result));
    }
}
