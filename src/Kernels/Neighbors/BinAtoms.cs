using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>Positions inside the cell, in the order of bins, so that a bin's atoms stand together. A thread takes a component.</summary>
internal static class BinAtoms
{
    /// <param name="positions">(A, 3) A</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="cells">(A, 3)</param>
    /// <param name="order">(A) atoms by bin</param>
    /// <param name="wrapped">(A, 3) A, written</param>
    public static void Run(
        ArrayView<double> positions, ArrayView<long> frames, ArrayView<double> boxes, ArrayView<int> cells, ArrayView<long> order,
        ArrayView<double> wrapped)
    {
        for (int n = Grid.GlobalIndex.X; n < wrapped.IntLength; n += Grid.DimX * Group.DimX)
        {
            int slot = n / 3, k = n - 3 * slot, i = (int)order[slot], box = (int)frames[i] * BoxLayout.Length + BoxLayout.Basis;
            wrapped[n] = positions[3 * i + k] - ImageDistance.Shift(boxes, box + k, cells[3 * i], cells[3 * i + 1], cells[3 * i + 2]);
        }
    }
}
