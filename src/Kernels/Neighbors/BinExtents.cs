using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// Least and greatest of three columns over runs of rows. Run twice: over runs of a frame's atoms, then over the runs of each frame.
/// </summary>
internal static class BinExtents
{
    /// <param name="least">(n, 3)</param>
    /// <param name="greatest">(n, 3); may be the same array</param>
    /// <param name="starts">(runs + 1) rows</param>
    /// <param name="leastOfRun">(runs, 3), written</param>
    /// <param name="greatestOfRun">(runs, 3), written; below the least where a run is empty</param>
    public static void Run<TLanes>(
        ArrayView<double> least, ArrayView<double> greatest, ArrayView<int> starts, ArrayView<double> leastOfRun,
        ArrayView<double> greatestOfRun)
        where TLanes : struct, ILanes
    {
        int items = leastOfRun.IntLength, lane = Grid.GlobalIndex.X % TLanes.Count, perRound = Grid.DimX * Group.DimX / TLanes.Count;
        // As many rounds for every thread: lanes without an item still take part.
        for (int start = 0; start < items; start += perRound)
        {
            int own = start + Grid.GlobalIndex.X / TLanes.Count, item = own < items ? own : items - 1;
            int run = item / 3, k = item - 3 * run;
            double low = double.MaxValue, high = double.MinValue;
            for (int row = starts[run] + lane; row < starts[run + 1]; row += TLanes.Count)
            {
                double one = least[3 * row + k], other = greatest[3 * row + k];
                low = one < low ? one : low;
                high = other > high ? other : high;
            }
            low = -TLanes.Max(-low);
            high = TLanes.Max(high);
            if (lane != 0 || own >= items) continue;
            leastOfRun[item] = low;
            greatestOfRun[item] = high;
        }
    }
}
