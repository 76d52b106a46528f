using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Sums;

/// <summary>The column sums by number type, columns a warp owns, and lanes.</summary>
internal sealed class ColumnSumsKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. ColumnSumsKernels<float, Pack1<float>>.Run.Variants(),
        .. ColumnSumsKernels<float, Pack4<float>>.Run.Variants(vectorLoads: true, vectorStores: true),
        .. ColumnSumsKernels<double, Pack1<double>>.Run.Variants(float64: true),
        .. ColumnSumsKernels<double, Pack4<double>>.Run.Variants(vectorLoads: true, vectorStores: true, float64: true),
    ];
}

/// <summary>Made once.</summary>
internal static class ColumnSumsKernels<T, TPack>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelByLanes Run =
        new(KernelMethod.Of(ColumnSums.Run<T, TPack, OneLane>), KernelMethod.Of(ColumnSums.Run<T, TPack, WarpLanes>));
}
