using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.AdamW;

/// <summary>Launches the AdamW update.</summary>
public static class AdamWLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    private const int GroupSize = 256;

    private static readonly KernelMethod Kernel = KernelMethod.Of(AdamWStep.Run<T, TReal>);

    internal static KernelVariant Variant => new(Kernel, VectorLoads: true, VectorStores: true, Float64: typeof(T) == typeof(double));

    /// <param name="device">Where.</param>
    /// <param name="chunks">(chunks, 5): <see cref="AdamWChunks"/>, on the device</param>
    /// <param name="update">t: which update of these parameters it is, from 1.</param>
    /// <param name="learningRate">lr</param>
    /// <param name="beta1">b1, decay of the first moment.</param>
    /// <param name="beta2">b2, decay of the second moment.</param>
    /// <param name="weightDecay">wd</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    public static void Run(
        KernelDevice device, DeviceArray<long> chunks, long update, double learningRate, double beta1, double beta2, double weightDecay,
        double epsilon)
    {
        // What depends on these alone is computed in float64.
        double first = 1 - Math.Pow(beta1, update), second = 1 - Math.Pow(beta2, update);
        device.Launch(Kernel, device.GroupPer(chunks.Length / AdamWChunks.Columns, GroupSize),
            KernelArgument.Memory<Pack1<T>>(), KernelArgument.Memory<Pack4<T>>(), KernelArgument.Of(chunks),
            Number(1 - learningRate * weightDecay), Number(1 - beta1), Number(beta2), Number(1 - beta2), Number(learningRate / first),
            Number(Math.Sqrt(second)), Number(epsilon));

        static KernelArgument Number(double x) => KernelArgument.Of(TReal.Of(x));
    }
}
