using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;

namespace ChemScale.Kernels.LayerNorm;

/// <summary>Launches the layer norm's kernels. Without rows no gradient but the sums, zero, is written.</summary>
public static class LayerNormLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    private static readonly KernelByLanes ForwardKernel =
        new(KernelMethod.Of(LayerNormForward.Run<T, TReal, OneLane>), KernelMethod.Of(LayerNormForward.Run<T, TReal, WarpLanes>));

    private static readonly KernelByLanes RowsKernel =
        new(KernelMethod.Of(LayerNormBackward.Rows<T, TReal, OneLane>), KernelMethod.Of(LayerNormBackward.Rows<T, TReal, WarpLanes>));

    private static readonly KernelMethod ColumnsKernel = KernelMethod.Of(LayerNormBackward.Columns<T>);

    internal static IEnumerable<KernelVariant> Variants
    {
        get
        {
            bool wide = typeof(T) == typeof(double);
            return [.. ForwardKernel.Variants(wide), .. RowsKernel.Variants(wide), new(ColumnsKernel, Float64: wide)];
        }
    }

    /// <param name="device">Where.</param>
    /// <param name="x">(T, h)</param>
    /// <param name="weight">(h)</param>
    /// <param name="bias">(h)</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="mean">(T), written</param>
    /// <param name="inverse">(T) 1 / sqrt(variance + epsilon), written</param>
    /// <param name="y">(T, h), written</param>
    public static void Forward(
        KernelDevice device, DeviceArray<T> x, DeviceArray<T> weight, DeviceArray<T> bias, double epsilon,
        DeviceArray<T> mean, DeviceArray<T> inverse, DeviceArray<T> y) =>
        ForwardKernel.Launch(device, mean.Length, KernelArgument.Of(x), KernelArgument.Of(weight), KernelArgument.Of(bias),
            KernelArgument.Of(TReal.Of(epsilon)), KernelArgument.Of(mean), KernelArgument.Of(inverse), KernelArgument.Of(y));

    /// <param name="device">Where.</param>
    /// <param name="gradient">(T, h) with respect to y</param>
    /// <param name="x">(T, h)</param>
    /// <param name="weight">(h)</param>
    /// <param name="mean">(T) of the forward pass</param>
    /// <param name="inverse">(T) of the forward pass</param>
    /// <param name="xGradient">(T, h), written</param>
    public static void ByInput(
        KernelDevice device, DeviceArray<T> gradient, DeviceArray<T> x, DeviceArray<T> weight, DeviceArray<T> mean, DeviceArray<T> inverse,
        DeviceArray<T> xGradient) =>
        RowsKernel.Launch(device, mean.Length, KernelArgument.Of(gradient), KernelArgument.Of(x), KernelArgument.Of(weight),
            KernelArgument.Of(mean), KernelArgument.Of(inverse), KernelArgument.Of(xGradient));

    /// <param name="device">Where.</param>
    /// <param name="gradient">(T, h) with respect to y</param>
    /// <param name="x">(T, h)</param>
    /// <param name="mean">(T) of the forward pass</param>
    /// <param name="inverse">(T) of the forward pass</param>
    /// <param name="partials">(<see cref="RowChunks"/> of T, 2, h) scratch</param>
    /// <param name="sums">(2, h) with respect to weight and bias, written</param>
    public static void ByParameters(
        KernelDevice device, DeviceArray<T> gradient, DeviceArray<T> x, DeviceArray<T> mean, DeviceArray<T> inverse,
        DeviceArray<T> partials, DeviceArray<T> sums)
    {
        device.Launch(ColumnsKernel, device.Cover(partials.Length / 2), RowChunks.Length(mean.Length),
            KernelArgument.Of(gradient), KernelArgument.Of(x), KernelArgument.Of(mean), KernelArgument.Of(inverse),
            (int)sums.Length / 2, KernelArgument.Of(partials));
        ColumnSumsLauncher<T>.Run(device, partials, sums);
    }
}
