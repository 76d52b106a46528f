using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// Sorts each row's keys: a key's place is the number of lesser ones, for no two of a row are equal. A thread takes an edge.
/// </summary>
internal static class RowOrder
{
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="keys">(E)</param>
    /// <param name="sorted">(E), written</param>
    public static void Run(ArrayView<long> rowStarts, ArrayView<long> receivers, ArrayView<long> keys, ArrayView<long> sorted)
    {
        for (int e = Grid.GlobalIndex.X; e < keys.IntLength; e += Grid.DimX * Group.DimX)
        {
            int row = (int)receivers[e], start = (int)rowStarts[row], end = (int)rowStarts[row + 1], place = start;
            long key = keys[e];
            for (int other = start; other < end; other++) place += keys[other] < key ? 1 : 0;
            sorted[place] = key;
        }
    }
}
