using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Allegro;

/// <summary>The tensor product kernels by their type parameters: number type, values a thread owns.</summary>
internal sealed class TensorProductKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. Of<float, Pack1<float>>(), .. Of<float, Pack4<float>>(), .. Of<double, Pack1<double>>(), .. Of<double, Pack4<double>>(),
    ];

    private static IEnumerable<KernelVariant> Of<T, TPack>()
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        bool wide = typeof(T) == typeof(double), four = typeof(TPack) == typeof(Pack4<T>);
        yield return new KernelVariant(TensorProductKernels<T, TPack>.ByEdges, four, four, Float64: wide);
        yield return new KernelVariant(TensorProductKernels<T, TPack>.ByReceivers, four, four, Float64: wide);
    }
}

/// <summary>Made once.</summary>
internal static class TensorProductKernels<T, TPack>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelMethod ByEdges = KernelMethod.Of(TensorProducts.ByEdges<T, TPack>);

    public static readonly KernelMethod ByReceivers = KernelMethod.Of(TensorProducts.ByReceivers<T, TPack>);
}
