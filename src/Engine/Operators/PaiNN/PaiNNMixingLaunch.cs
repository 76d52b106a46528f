using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.PaiNN;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Hands tensors to the kernels of PaiNN's mixing: all contiguous, of one number type, in the kernels' order; null:
/// empty.</summary>
internal static class PaiNNMixingLaunch
{
    /// <param name="mixed">(atoms, 3, 2 F)</param>
    /// <param name="epsilon">Keeps the norm differentiable at zero.</param>
    /// <param name="rest">The further arguments of the pass.</param>
    public static void Invariants(Tensor mixed, double epsilon, params Tensor[] rest)
    {
        if (mixed.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            new MixingLauncher<T, TReal>(Device(mixed), (int)mixed.size(2) / 2).Invariants(Array<T>(mixed), epsilon, Arrays<T>(rest));
    }

    /// <param name="features">F</param>
    /// <param name="tensors">The arguments of the pass.</param>
    public static void Update(long features, params Tensor?[] tensors)
    {
        Tensor first = tensors[0]!;
        if (first.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> => new MixingLauncher<T, TReal>(Device(first), (int)features).Update(Arrays<T>(tensors));
    }

    private static DeviceArray<T>[] Arrays<T>(Tensor?[] tensors)
        where T : unmanaged => [.. tensors.Select(Array<T>)];
}
