using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Gelu;

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
