using System.Numerics;
using ChemScale.Kernels.Gelu;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Hands tensors to the kernels of GELU with a bias: all contiguous, of one number type.</summary>
internal static class GeluBiasLaunch
{
    public static void Forward(Tensor x, Tensor bias, Tensor y)
    {
        if (y.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            GeluBiasLauncher<T, TReal>.Forward(Device(y), Array<T>(x), Array<T>(bias), Array<T>(y));
    }

    /// <param name="gradient">(T, n) with respect to y</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="byInput">(T, n), written</param>
    /// <param name="byBias">(n), written; null: not wanted</param>
    public static void Backward(Tensor gradient, Tensor x, Tensor bias, Tensor byInput, Tensor? byBias)
    {
        long width = bias.numel();
        using Tensor partials = empty(RowChunks.Count(x.numel() / width), width, dtype: x.dtype, device: x.device);
        if (x.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            GeluBiasLauncher<T, TReal>.Backward(
                Device(x), Array<T>(gradient), Array<T>(x), Array<T>(bias), Array<T>(byInput), Array<T>(partials), Array<T>(byBias));
    }
}
