using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>Where each bin's atoms start among the atoms sorted by bin, by bisection. A thread takes a bin.</summary>
internal static class BinStarts
{
    /// <param name="bins">(A) ascending</param>
    /// <param name="starts">(bins + 1), written</param>
    public static void Run(ArrayView<int> bins, ArrayView<int> starts)
    {
        for (int bin = Grid.GlobalIndex.X; bin < starts.IntLength; bin += Grid.DimX * Group.DimX)
        {
            int low = 0, high = bins.IntLength;
            while (low < high)
            {
                int middle = low + (high - low) / 2;
                if (bins[middle] < bin) low = middle + 1;
                else high = middle;
            }
            starts[bin] = low;
        }
    }
}
