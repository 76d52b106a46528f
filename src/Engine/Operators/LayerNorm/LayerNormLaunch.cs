using System.Numerics;
using ChemScale.Kernels.LayerNorm;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Hands tensors to the layer norm's kernels: all contiguous, of one number type. What the forward pass saves is x, weight, bias, mean,
/// and 1 / sigma.
/// </summary>
internal static class LayerNormLaunch
{
    public static void Forward(Tensor?[] inputs, double epsilon, Tensor mean, Tensor inverse, Tensor y)
    {
        if (y.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            LayerNormLauncher<T, TReal>.Forward(
                Device(y), Array<T>(inputs[0]), Array<T>(inputs[1]), Array<T>(inputs[2]), epsilon,
                Array<T>(mean), Array<T>(inverse), Array<T>(y));
    }

    public static void ByInput(Tensor gradient, Tensor?[] saved, Tensor result)
    {
        if (result.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            LayerNormLauncher<T, TReal>.ByInput(
                Device(result), Array<T>(gradient), Array<T>(saved[0]), Array<T>(saved[1]), Array<T>(saved[3]), Array<T>(saved[4]),
                Array<T>(result));
    }

    /// <param name="gradient">With respect to y.</param>
    /// <param name="saved">By the forward pass.</param>
    /// <param name="sums">(2, h), written: with respect to weight and bias.</param>
    public static void ByParameters(Tensor gradient, Tensor?[] saved, Tensor sums)
    {
        using Tensor partials = empty(RowChunks.Count(saved[3]!.numel()), sums.numel(), dtype: sums.dtype, device: sums.device);
        if (sums.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            LayerNormLauncher<T, TReal>.ByParameters(
                Device(sums), Array<T>(gradient), Array<T>(saved[0]), Array<T>(saved[3]), Array<T>(saved[4]), Array<T>(partials),
                Array<T>(sums));
    }
}
