using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.LayerNorm;

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
