using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Neighbors;

/// <summary>The kernels of neighbours by bins: geometry in float64, as the host's.</summary>
internal sealed class BinKernels : IKernelFamily
{
    public static readonly KernelMethod Coordinates = KernelMethod.Of(BinCoordinates.Run);

    public static readonly KernelByLanes Extents =
        new(KernelMethod.Of(BinExtents.Run<OneLane>), KernelMethod.Of(BinExtents.Run<WarpLanes>));

    public static readonly KernelMethod Grids = KernelMethod.Of(BinGrids.Run);

    public static readonly KernelMethod Numbers = KernelMethod.Of(BinNumbers.Run);

    public static readonly KernelMethod Starts = KernelMethod.Of(BinStarts.Run);

    public static readonly KernelMethod Atoms = KernelMethod.Of(BinAtoms.Run);

    public static readonly KernelMethod Count = KernelMethod.Of(BinPairs.Run<CountPass>);

    public static readonly KernelMethod Fill = KernelMethod.Of(BinPairs.Run<FillPass>);

    public static readonly KernelMethod Order = KernelMethod.Of(RowOrder.Run);

    public static readonly KernelMethod Edges = KernelMethod.Of(RowEdges.Run);

    public static IEnumerable<KernelVariant> Variants =>
    [
        new(Starts), new(Order), .. Extents.Variants(float64: true),
        .. new[] { Coordinates, Grids, Numbers, Atoms, Count, Fill, Edges }.Select(kernel => new KernelVariant(kernel, Float64: true)),
    ];
}
