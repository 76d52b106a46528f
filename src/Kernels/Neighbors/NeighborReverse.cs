using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>Where each edge stands the other way round: the receiver's place among its sender's own senders, which ascend.</summary>
internal static class NeighborReverse
{
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="senders">(E)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="reverse">(E), written</param>
    public static void Run(ArrayView<long> rowStarts, ArrayView<long> senders, ArrayView<long> receivers, ArrayView<long> reverse)
    {
        for (int e = Grid.GlobalIndex.X; e < reverse.IntLength; e += Grid.DimX * Group.DimX)
        {
            int row = (int)senders[e], low = (int)rowStarts[row], high = (int)rowStarts[row + 1] - 1;
            long wanted = receivers[e];
            while (low < high)
            {
                int middle = low + (high - low) / 2;
                if (senders[middle] < wanted) low = middle + 1;
                else high = middle;
            }
            reverse[e] = low;
        }
    }
}
