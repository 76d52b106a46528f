using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.PaiNN;

/// <summary>The kernels of PaiNN's mixing by their type parameters: number type, values a thread owns.</summary>
internal sealed class MixingKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. Of<float, F32, Pack1<float>>(), .. Of<float, F32, Pack4<float>>(), .. Of<double, F64, Pack1<double>>(),
            .. Of<double, F64, Pack4<double>>(),
    ];

    private static IEnumerable<KernelVariant> Of<T, TReal, TPack>()
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        bool wide = typeof(T) == typeof(double), four = typeof(TPack) == typeof(Pack4<T>);
        KernelMethod[] kernels =
        [
            InvariantsKernels<T, TReal, TPack>.Forward, InvariantsKernels<T, TReal, TPack>.Backward,
                InvariantsKernels<T, TReal, TPack>.DoubleBackward,
            UpdateKernels<T, TPack>.Forward, UpdateKernels<T, TPack>.Backward, UpdateKernels<T, TPack>.DoubleBackward,
        ];
        return kernels.Select(kernel => new KernelVariant(kernel, VectorLoads: four, VectorStores: four, Float64: wide));
    }
}

/// <summary>Of the invariants.</summary>
internal static class InvariantsKernels<T, TReal, TPack>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod Forward = KernelMethod.Of(Invariants.Forward<T, TReal, TPack>);

    public static readonly KernelMethod Backward = KernelMethod.Of(Invariants.Backward<T, TReal, TPack>);

    public static readonly KernelMethod DoubleBackward = KernelMethod.Of(Invariants.DoubleBackward<T, TReal, TPack>);
}

/// <summary>Of the update.</summary>
internal static class UpdateKernels<T, TPack>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod Forward = KernelMethod.Of(Update.Forward<T, TPack>);

    public static readonly KernelMethod Backward = KernelMethod.Of(Update.Backward<T, TPack>);

    public static readonly KernelMethod DoubleBackward = KernelMethod.Of(Update.DoubleBackward<T, TPack>);
}
