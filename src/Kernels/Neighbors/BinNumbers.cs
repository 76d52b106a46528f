using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>The bin of each atom. A thread takes an atom.</summary>
internal static class BinNumbers
{
    /// <param name="coordinates">(A, 3)</param>
    /// <param name="frames">(A) each atom's frame</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="least">(frames, 3) of the coordinates</param>
    /// <param name="firstBins">(frames + 1)</param>
    /// <param name="grids">(frames, 6)</param>
    /// <param name="widths">(frames, 3)</param>
    /// <param name="bins">(A), written</param>
    public static void Run(
        ArrayView<double> coordinates, ArrayView<long> frames, ArrayView<double> boxes, ArrayView<double> least, ArrayView<int> firstBins,
        ArrayView<int> grids, ArrayView<double> widths, ArrayView<int> bins)
    {
        for (int i = Grid.GlobalIndex.X; i < bins.IntLength; i += Grid.DimX * Group.DimX)
        {
            int f = (int)frames[i], bin = 0;
            for (int k = 0; k < 3; k++)
            {
                double origin = boxes[f * BoxLayout.Length + BoxLayout.Heights + k] > 0 ? 0 : least[3 * f + k];
                double slab = (coordinates[3 * i + k] - origin) / widths[3 * f + k];
                int count = grids[6 * f + k];
                // What is no number, as where the width is zero, goes to the first.
                bin = bin * count + (slab >= count ? count - 1 : slab > 0 ? (int)slab : 0);
            }
            bins[i] = firstBins[f] + bin;
        }
    }
}
