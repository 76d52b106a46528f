using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Neighbors;

/// <summary>Atoms of a batch of frames, sorted by bin. Shapes are those of <see cref="BinPairs"/>.</summary>
/// <param name="Positions">(A, 3) A</param>
/// <param name="Frames">(A) each atom's frame</param>
/// <param name="Boxes">(frames, 21), see <see cref="BoxLayout"/></param>
/// <param name="FirstBins">(frames + 1) room for each frame's bins</param>
/// <param name="Grids">(frames, 6)</param>
/// <param name="Cells">(A, 3)</param>
/// <param name="Starts">(bins + 1)</param>
/// <param name="Order">(A) atoms by bin</param>
/// <param name="Bins">(A) of each of these</param>
/// <param name="Wrapped">(A, 3) A, in that order</param>
public sealed record BinnedAtoms(
    DeviceArray<double> Positions, DeviceArray<long> Frames, DeviceArray<double> Boxes, DeviceArray<int> FirstBins, DeviceArray<int> Grids,
    DeviceArray<int> Cells, DeviceArray<int> Starts, DeviceArray<long> Order, DeviceArray<int> Bins, DeviceArray<double> Wrapped);
