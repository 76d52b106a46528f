using System.Numerics;
using ChemScale.Kernels.CrossEntropy;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Hands tensors to the cross-entropy's kernels: all contiguous, of one number type. What the forward pass saves is logits, targets, the
/// rows' largest numbers and sums, and how many count.
/// </summary>
internal static class CrossEntropyLaunch
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
