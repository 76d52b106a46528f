using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.CrossEntropy;

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
