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
    private static readonly KernelMethod ForwardKernel = KernelMethod.Of(GeluBias.Forward<T, TReal>);

    private static readonly KernelMethod BackwardKernel = KernelMethod.Of(GeluBias.Backward<T, TReal>);

    internal static IEnumerable<KernelVariant> Variants
    {
        get
        {
            bool wide = typeof(T) == typeof(double);
            return [new(ForwardKernel, Float64: wide), new(BackwardKernel, Float64: wide)];
        }
    }

    /// <param name="device">Where.</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="y">(T, n), written</param>
    public static void Forward(KernelDevice device, DeviceArray<T> x, DeviceArray<T> bias, DeviceArray<T> y) =>
        device.Launch(ForwardKernel, device.Cover(y.Length), KernelArgument.Of(x), KernelArgument.Of(bias), KernelArgument.Of(y));

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
        device.Launch(BackwardKernel, device.Cover(partials.Length), RowChunks.Length(x.Length / bias.Length),
            KernelArgument.Of(gradient), KernelArgument.Of(x), KernelArgument.Of(bias), KernelArgument.Of(xGradient),
            KernelArgument.Of(partials));
        ColumnSumsLauncher<T>.Run(device, partials, biasGradient);
    }
}
