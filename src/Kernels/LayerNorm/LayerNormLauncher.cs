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
        DeviceArray<T> mean, DeviceArray<T> inverse, DeviceArray<T> y)
    {
        if (DeviceArray<T>.AreFours(weight.Length, x, weight, bias, y)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            LayerNormKernels<T, TReal, TPack>.Forward.Launch(device, mean.Length, Packs<TPack>(x), Packs<TPack>(weight),
                Packs<TPack>(bias), KernelArgument.Of(TReal.Of(epsilon)), KernelArgument.Of(mean), KernelArgument.Of(inverse),
                Packs<TPack>(y));
    }

    /// <param name="device">Where.</param>
    /// <param name="gradient">(T, h) with respect to y</param>
    /// <param name="x">(T, h)</param>
    /// <param name="weight">(h)</param>
    /// <param name="mean">(T) of the forward pass</param>
    /// <param name="inverse">(T) of the forward pass</param>
    /// <param name="xGradient">(T, h), written</param>
    public static void ByInput(
        KernelDevice device, DeviceArray<T> gradient, DeviceArray<T> x, DeviceArray<T> weight, DeviceArray<T> mean, DeviceArray<T> inverse,
        DeviceArray<T> xGradient)
    {
        if (DeviceArray<T>.AreFours(weight.Length, gradient, x, weight, xGradient)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            LayerNormKernels<T, TReal, TPack>.Rows.Launch(device, mean.Length, Packs<TPack>(gradient), Packs<TPack>(x),
                Packs<TPack>(weight), KernelArgument.Of(mean), KernelArgument.Of(inverse), Packs<TPack>(xGradient));
    }

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
        if (DeviceArray<T>.AreFours(sums.Length / 2, gradient, x, partials)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();
        ColumnSumsLauncher<T>.Run(device, partials, sums);

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(LayerNormKernels<T, TReal, TPack>.Columns, device.Cover(partials.Length / 2 / TPack.Count),
                RowChunks.Length(mean.Length), Packs<TPack>(gradient), Packs<TPack>(x), KernelArgument.Of(mean),
                KernelArgument.Of(inverse), (int)sums.Length / 2 / TPack.Count, Packs<TPack>(partials));
    }

    private static KernelArgument Packs<TPack>(DeviceArray<T> array)
        where TPack : unmanaged => KernelArgument.Of(array.As<TPack>());
}

/// <summary>The layer norm's kernels by number type, values a thread owns, and lanes a row.</summary>
internal sealed class LayerNormKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. Of<float, F32, Pack1<float>>(), .. Of<float, F32, Pack4<float>>(),
        .. Of<double, F64, Pack1<double>>(), .. Of<double, F64, Pack4<double>>(),
    ];

    private static IEnumerable<KernelVariant> Of<T, TReal, TPack>()
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        bool wide = typeof(T) == typeof(double), four = TPack.Count == 4;
        return
        [
            .. LayerNormKernels<T, TReal, TPack>.Forward.Variants(four, four, wide),
            .. LayerNormKernels<T, TReal, TPack>.Rows.Variants(four, four, wide),
            new(LayerNormKernels<T, TReal, TPack>.Columns, four, four, Float64: wide),
        ];
    }
}

/// <summary>Made once.</summary>
internal static class LayerNormKernels<T, TReal, TPack>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelByLanes Forward = new(
        KernelMethod.Of(LayerNormForward.Run<T, TReal, TPack, OneLane>), KernelMethod.Of(LayerNormForward.Run<T, TReal, TPack, WarpLanes>));

    public static readonly KernelByLanes Rows = new(
        KernelMethod.Of(LayerNormBackward.Rows<T, TReal, TPack, OneLane>),
        KernelMethod.Of(LayerNormBackward.Rows<T, TReal, TPack, WarpLanes>));

    public static readonly KernelMethod Columns = KernelMethod.Of(LayerNormBackward.Columns<T, TPack>);
}
