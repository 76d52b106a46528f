using System.Numerics;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Neighbors;

/// <summary>The neighbour kernels by the positions' number type.</summary>
internal sealed class NeighborKernels : IKernelFamily
{
    public static readonly KernelMethod Reverse = KernelMethod.Of(NeighborReverse.Run);

    public static IEnumerable<KernelVariant> Variants =>
    [
        new(Of<float>.Count), new(Of<float>.Fill), new(Of<double>.Count, Float64: true), new(Of<double>.Fill, Float64: true), new(Reverse),
    ];

    public static class Of<T>
        where T : unmanaged, INumber<T>
    {
        public static readonly KernelMethod Count = KernelMethod.Of(NeighborCount.Run<T>);
        public static readonly KernelMethod Fill = KernelMethod.Of(NeighborFill.Run<T>);
    }
}
