using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;

namespace ChemScale.Kernels.Gelu;

/// <summary>Launches the kernels of GELU with a bias. Without rows no gradient but the bias's, zero, is written.</summary>
public static class GeluBiasLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="device">Where.</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="y">(T, n), written</param>
    public static void Forward(KernelDevice device, DeviceArray<T> x, DeviceArray<T> bias, DeviceArray<T> y)
    {
        if (DeviceArray<T>.AreFours(bias.Length, x, bias, y)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(GeluBiasKernels<T, TReal, TPack>.Forward, device.Cover(y.Length / TPack.Count), Packs<TPack>(x),
                Packs<TPack>(bias), Packs<TPack>(y));
    }

    /// <param name="device">Where.</param>
    /// <param name="gradient">(T, n) with respect to y</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="xGradient">(T, n), written</param>
    /// <param name="partials">(<see cref="RowChunks"/> of T, n) scratch</param>
    /// <param name="biasGradient">(n), written; empty: not wanted</param>
    public static void Backward(
        KernelDevice device, DeviceArray<T> gradient, DeviceArray<T> x, DeviceArray<T> bias,
        DeviceArray<T> xGradient, DeviceArray<T> partials, DeviceArray<T> biasGradient)
    {
        if (DeviceArray<T>.AreFours(bias.Length, gradient, x, bias, xGradient, partials)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();
        ColumnSumsLauncher<T>.Run(device, partials, biasGradient);

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(GeluBiasKernels<T, TReal, TPack>.Backward, device.Cover(partials.Length / TPack.Count),
                RowChunks.Length(x.Length / bias.Length), Packs<TPack>(gradient), Packs<TPack>(x), Packs<TPack>(bias),
                Packs<TPack>(xGradient), Packs<TPack>(partials));
    }

    private static KernelArgument Packs<TPack>(DeviceArray<T> array)
        where TPack : unmanaged => KernelArgument.Of(array.As<TPack>());
}
