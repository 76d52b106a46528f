using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Sums;

namespace ChemScale.Kernels.CrossEntropy;

/// <summary>Launches the kernels of the cross-entropy. Without rows the mean is NaN, and no gradient is written.</summary>
public static class CrossEntropyLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="device">Where.</param>
    /// <param name="logits">(T, V)</param>
    /// <param name="targets">(T)</param>
    /// <param name="ignored">Target of a row that does not count.</param>
    /// <param name="tops">(T) largest logit, written</param>
    /// <param name="sums">(T) sum of e^(x - top), written</param>
    /// <param name="losses">(T) scratch</param>
    /// <param name="partials">(<see cref="RowChunks"/> of T, 2) scratch</param>
    /// <param name="loss">(1), written</param>
    /// <param name="counted">(1) rows that count, written</param>
    public static void Forward(
        KernelDevice device, DeviceArray<T> logits, DeviceArray<long> targets, long ignored,
        DeviceArray<T> tops, DeviceArray<T> sums, DeviceArray<T> losses, DeviceArray<T> partials, DeviceArray<T> loss,
        DeviceArray<T> counted)
    {
        if (AreFours(targets, logits)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();
        CrossEntropyKernels<T>.Chunks.Launch(device, partials.Length / 2, RowChunks.Length(targets.Length), KernelArgument.Of(targets),
            KernelArgument.Of(ignored), KernelArgument.Of(losses), KernelArgument.Of(partials));
        CrossEntropyKernels<T>.Mean.Launch(device, 1, KernelArgument.Of(partials), KernelArgument.Of(loss), KernelArgument.Of(counted));

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            CrossEntropyKernels<T, TReal, TPack>.Rows.Launch(device, targets.Length, KernelArgument.Of(logits.As<TPack>()),
                KernelArgument.Of(targets), KernelArgument.Of(ignored), KernelArgument.Of(tops), KernelArgument.Of(sums),
                KernelArgument.Of(losses));
    }

    /// <param name="device">Where.</param>
    /// <param name="gradient">(1) with respect to the mean</param>
    /// <param name="logits">(T, V)</param>
    /// <param name="targets">(T)</param>
    /// <param name="ignored">Target of a row that does not count.</param>
    /// <param name="tops">(T) of the forward pass</param>
    /// <param name="sums">(T) of the forward pass</param>
    /// <param name="counted">(1) of the forward pass</param>
    /// <param name="result">(T, V), written</param>
    public static void Backward(
        KernelDevice device, DeviceArray<T> gradient, DeviceArray<T> logits, DeviceArray<long> targets, long ignored,
        DeviceArray<T> tops, DeviceArray<T> sums, DeviceArray<T> counted, DeviceArray<T> result)
    {
        if (AreFours(targets, logits, result)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            device.Launch(CrossEntropyKernels<T, TReal, TPack>.Backward, device.Cover(result.Length / TPack.Count),
                KernelArgument.Of(gradient), KernelArgument.Of(logits.As<TPack>()), KernelArgument.Of(targets), KernelArgument.Of(ignored),
                KernelArgument.Of(tops), KernelArgument.Of(sums), KernelArgument.Of(counted), KernelArgument.Of(result.As<TPack>()));
    }

    private static bool AreFours(DeviceArray<long> targets, params ReadOnlySpan<DeviceArray<T>> arrays) =>
        DeviceArray<T>.AreFours(targets.Length == 0 ? 0 : arrays[0].Length / targets.Length, arrays);
}

/// <summary>The kernels of the cross-entropy by number type, values a thread owns, and lanes.</summary>
internal sealed class CrossEntropyKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. Of<float, F32, Pack1<float>>(), .. Of<float, F32, Pack4<float>>(),
        .. Of<double, F64, Pack1<double>>(), .. Of<double, F64, Pack4<double>>(),
        .. CrossEntropyKernels<float>.Chunks.Variants(), .. CrossEntropyKernels<float>.Mean.Variants(),
        .. CrossEntropyKernels<double>.Chunks.Variants(float64: true), .. CrossEntropyKernels<double>.Mean.Variants(float64: true),
    ];

    private static IEnumerable<KernelVariant> Of<T, TReal, TPack>()
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        bool wide = typeof(T) == typeof(double), four = TPack.Count == 4;
        return
        [
            .. CrossEntropyKernels<T, TReal, TPack>.Rows.Variants(four, float64: wide),
            new(CrossEntropyKernels<T, TReal, TPack>.Backward, four, four, Float64: wide),
        ];
    }
}

/// <summary>Those that read logits. Made once.</summary>
internal static class CrossEntropyKernels<T, TReal, TPack>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelByLanes Rows = new(
        KernelMethod.Of(CrossEntropyForward.Rows<T, TReal, TPack, OneLane>),
        KernelMethod.Of(CrossEntropyForward.Rows<T, TReal, TPack, WarpLanes>));

    public static readonly KernelMethod Backward = KernelMethod.Of(CrossEntropyBackward.Run<T, TReal, TPack>);
}

/// <summary>Those that sum losses: a few numbers. Made once.</summary>
internal static class CrossEntropyKernels<T>
    where T : unmanaged, INumber<T>
{
    public static readonly KernelByLanes Chunks =
        new(KernelMethod.Of(CrossEntropyForward.Chunks<T, OneLane>), KernelMethod.Of(CrossEntropyForward.Chunks<T, WarpLanes>));

    public static readonly KernelByLanes Mean =
        new(KernelMethod.Of(CrossEntropyForward.Mean<T, OneLane>), KernelMethod.Of(CrossEntropyForward.Mean<T, WarpLanes>));
}
