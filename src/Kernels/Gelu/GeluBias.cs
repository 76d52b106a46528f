using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;
using ILGPU;

namespace ChemScale.Kernels.Gelu;

/// <summary>
/// GELU in its tanh form of x + bias, and its gradient: <see cref="GeluValue{T,TReal}"/> and <see cref="GeluSlope{T,TReal}"/>.
/// </summary>
internal static class GeluBias
{
    /// <param name="x">(T, n), n numbers or packs of them</param>
    /// <param name="bias">(n)</param>
    /// <param name="y">(T, n), written</param>
    public static void Forward<T, TReal, TPack>(ArrayView<TPack> x, ArrayView<TPack> bias, [Written] ArrayView<TPack> y)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int width = bias.IntLength;
        for (int i = Grid.GlobalIndex.X; i < y.IntLength; i += Grid.DimX * Group.DimX)
            y[i] = TPack.Map<GeluValue<T, TReal>>(x[i] + bias[i % width]);
    }

    /// <summary>The gradient, and its sums over each chunk of rows. A thread a column of a chunk: neighbours read neighbours.</summary>
    /// <param name="chunkLength">Rows of a chunk.</param>
    /// <param name="gradient">(T, n) with respect to y, n numbers or packs of them</param>
    /// <param name="x">(T, n)</param>
    /// <param name="bias">(n)</param>
    /// <param name="xGradient">(T, n), written</param>
    /// <param name="partials">(chunks, n), written</param>
    public static void Backward<T, TReal, TPack>(
        int chunkLength, ArrayView<TPack> gradient, ArrayView<TPack> x, ArrayView<TPack> bias, [Written] ArrayView<TPack> xGradient,
        [Written] ArrayView<TPack> partials)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int width = bias.IntLength, rows = x.IntLength / width, total = partials.IntLength;
        for (int i = Grid.GlobalIndex.X; i < total; i += Grid.DimX * Group.DimX)
        {
            int chunk = i / width, column = i - chunk * width, row = chunk * chunkLength, end = row + chunkLength;
            end = end < rows ? end : rows;
            TPack shift = bias[column], sum = default;
            for (; row < end; row++)
            {
                int at = row * width + column;
                TPack result = gradient[at] * TPack.Map<GeluSlope<T, TReal>>(x[at] + shift);
                xGradient[at] = result;
                sum += result;
            }
            partials[i] = sum;
        }
    }
}

/// <summary>v s, with s = 1 / (1 + e^-u) and u = 2 sqrt(2/pi) (v + 0.044715 v^3): one exponential, one division.</summary>
internal readonly struct GeluValue<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static T At(T v)
    {
        T minusU = v * (TReal.Of(-GeluSlope<T, TReal>.Factor) + v * v * TReal.Of(-GeluSlope<T, TReal>.Factor * GeluSlope<T, TReal>.Cubic));
        return v / (T.One + TReal.Exp(minusU));
    }
}

/// <summary>
/// The derivative of <see cref="GeluValue{T,TReal}"/>, s + v u' s (1 - s). With e = exp(-|u|) the larger of s and 1 - s is 1 / (1 + e) and
/// the smaller e / (1 + e): a subtraction would lose the bits of the smaller, which v u' magnifies.
/// </summary>
internal readonly struct GeluSlope<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <summary>2 sqrt(2/pi)</summary>
    public const double Factor = 1.5957691216057308;

    public const double Cubic = 0.044715;

    public static T At(T v)
    {
        T square = v * v, u = v * (TReal.Of(Factor) + square * TReal.Of(Factor * Cubic));
        T slope = TReal.Of(Factor) + square * TReal.Of(3 * Factor * Cubic);
        T e = TReal.Exp(TReal.MinusMagnitude(u)), high = T.One / (T.One + e), low = e * high;
        return (u > T.Zero ? high : low) + v * slope * (high * low);
    }
}

/// <summary>The kernels of GELU with a bias, by number type and values a thread owns.</summary>
internal sealed class GeluBiasKernels : IKernelFamily
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
        yield return new KernelVariant(GeluBiasKernels<T, TReal, TPack>.Forward, four, four, Float64: wide);
        yield return new KernelVariant(GeluBiasKernels<T, TReal, TPack>.Backward, four, four, Float64: wide);
    }
}

/// <summary>Made once.</summary>
internal static class GeluBiasKernels<T, TReal, TPack>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod Forward = KernelMethod.Of(GeluBias.Forward<T, TReal, TPack>);

    public static readonly KernelMethod Backward = KernelMethod.Of(GeluBias.Backward<T, TReal, TPack>);
}

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
