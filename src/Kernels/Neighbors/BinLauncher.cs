using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// Launches the kernels of neighbours by bins, in their order: coordinates, extents (twice), grids, numbers; the caller sorts the atoms by
/// bin, stably; starts and atoms; count; the caller sums the counts; fill, order of rows, edges. Shapes are those of the kernels.
/// </summary>
public static class BinLauncher
{
    private const int GroupSize = 128;

    public static void Coordinates(
        KernelDevice device, DeviceArray<double> positions, DeviceArray<long> frames, DeviceArray<double> boxes,
        DeviceArray<double> coordinates, DeviceArray<int> cells) =>
        device.Launch(BinKernels.Coordinates, device.Cover(coordinates.Length),
            KernelArgument.Of(positions), KernelArgument.Of(frames), KernelArgument.Of(boxes), KernelArgument.Of(coordinates),
            KernelArgument.Of(cells));

    public static void Extents(
        KernelDevice device, DeviceArray<double> least, DeviceArray<double> greatest, DeviceArray<int> starts,
        DeviceArray<double> leastOfRun, DeviceArray<double> greatestOfRun) =>
        BinKernels.Extents.Launch(device, leastOfRun.Length,
            KernelArgument.Of(least), KernelArgument.Of(greatest), KernelArgument.Of(starts), KernelArgument.Of(leastOfRun),
            KernelArgument.Of(greatestOfRun));

    public static void Grids(
        KernelDevice device, DeviceArray<double> boxes, DeviceArray<double> least, DeviceArray<double> greatest,
        DeviceArray<int> firstBins, double reach, DeviceArray<int> grids, DeviceArray<double> widths) =>
        device.Launch(BinKernels.Grids, device.Cover(firstBins.Length - 1),
            KernelArgument.Of(boxes), KernelArgument.Of(least), KernelArgument.Of(greatest), KernelArgument.Of(firstBins), reach,
            KernelArgument.Of(grids), KernelArgument.Of(widths));

    public static void Numbers(
        KernelDevice device, DeviceArray<double> coordinates, DeviceArray<long> frames, DeviceArray<double> boxes,
        DeviceArray<double> least, DeviceArray<int> firstBins, DeviceArray<int> grids, DeviceArray<double> widths, DeviceArray<int> bins) =>
        device.Launch(BinKernels.Numbers, device.Cover(bins.Length),
            KernelArgument.Of(coordinates), KernelArgument.Of(frames), KernelArgument.Of(boxes), KernelArgument.Of(least),
            KernelArgument.Of(firstBins), KernelArgument.Of(grids), KernelArgument.Of(widths), KernelArgument.Of(bins));

    /// <summary>Writes the starts and the wrapped positions of atoms whose order is known.</summary>
    public static void Arrange(KernelDevice device, BinnedAtoms atoms)
    {
        device.Launch(BinKernels.Starts, device.Cover(atoms.Starts.Length), KernelArgument.Of(atoms.Bins), KernelArgument.Of(atoms.Starts));
        device.Launch(BinKernels.Atoms, device.Cover(atoms.Wrapped.Length),
            KernelArgument.Of(atoms.Positions), KernelArgument.Of(atoms.Frames), KernelArgument.Of(atoms.Boxes),
            KernelArgument.Of(atoms.Cells), KernelArgument.Of(atoms.Order), KernelArgument.Of(atoms.Wrapped));
    }

    public static void Count(
        KernelDevice device, BinnedAtoms atoms, double near, double squaredCutoff, double squaredLeast, DeviceArray<long> counts) =>
        device.Launch(BinKernels.Count, device.Cover(atoms.Order.Length, GroupSize),
            Pairs(atoms, near, squaredCutoff, squaredLeast, counts, default, default, default));

    public static void Fill(
        KernelDevice device, BinnedAtoms atoms, double near, double squaredCutoff, DeviceArray<long> rowStarts, DeviceArray<long> keys,
        DeviceArray<long> receivers) =>
        device.Launch(BinKernels.Fill, device.Cover(keys.Length == 0 ? 0 : atoms.Order.Length, GroupSize),
            Pairs(atoms, near, squaredCutoff, 0, default, rowStarts, keys, receivers));

    public static void Order(
        KernelDevice device, DeviceArray<long> rowStarts, DeviceArray<long> receivers, DeviceArray<long> keys, DeviceArray<long> sorted) =>
        device.Launch(BinKernels.Order, device.Cover(keys.Length),
            KernelArgument.Of(rowStarts), KernelArgument.Of(receivers), KernelArgument.Of(keys), KernelArgument.Of(sorted));

    public static void Edges(
        KernelDevice device, BinnedAtoms atoms, DeviceArray<long> rowStarts, DeviceArray<long> receivers, DeviceArray<long> keys,
        DeviceArray<long> senders, DeviceArray<long> reverse, DeviceArray<int> shifts, DeviceArray<double> vectors) =>
        device.Launch(BinKernels.Edges, device.Cover(keys.Length),
            KernelArgument.Of(atoms.Frames), KernelArgument.Of(atoms.Boxes), KernelArgument.Of(atoms.Cells), KernelArgument.Of(rowStarts),
            KernelArgument.Of(receivers), KernelArgument.Of(keys), KernelArgument.Of(senders), KernelArgument.Of(reverse),
            KernelArgument.Of(shifts), KernelArgument.Of(vectors));

    private static KernelArgument[] Pairs(
        BinnedAtoms atoms, double near, double squaredCutoff, double squaredLeast, DeviceArray<long> counts, DeviceArray<long> rowStarts,
        DeviceArray<long> keys, DeviceArray<long> receivers) =>
    [
        KernelArgument.Of(atoms.Positions), KernelArgument.Of(atoms.Frames), KernelArgument.Of(atoms.Boxes),
        KernelArgument.Of(atoms.FirstBins), KernelArgument.Of(atoms.Grids), KernelArgument.Of(atoms.Cells), KernelArgument.Of(atoms.Starts),
        KernelArgument.Of(atoms.Order), KernelArgument.Of(atoms.Bins), KernelArgument.Of(atoms.Wrapped), near, squaredCutoff, squaredLeast,
        KernelArgument.Of(counts), KernelArgument.Of(rowStarts), KernelArgument.Of(keys), KernelArgument.Of(receivers),
    ];
}

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
