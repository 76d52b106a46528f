using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Sums;

/// <summary>Sums over the rows of a small matrix, such as partial sums of row chunks: one owner a column.</summary>
internal static class ColumnSums
{
    /// <param name="rows">How many; may be 0.</param>
    /// <param name="matrix">(rows, n), n columns or packs of them</param>
    /// <param name="sums">(n), written</param>
    public static void Run<T, TPack, TLanes>(int rows, ArrayView<TPack> matrix, ArrayView<TPack> sums)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int columns = sums.IntLength, lane = Grid.GlobalIndex.X % TLanes.Count, perRound = Grid.DimX * Group.DimX / TLanes.Count;
        // As many rounds for every thread: lanes without a column still take part in the sums.
        for (int start = 0; start < columns; start += perRound)
        {
            int own = start + Grid.GlobalIndex.X / TLanes.Count, column = own < columns ? own : columns - 1;
            TPack sum = default, lost = default;
            for (int row = lane; row < rows; row += TLanes.Count)
            {
                // What rounding takes from one sum goes into the next: a device without warps has one lane for all.
                TPack term = matrix[row * columns + column] - lost, next = sum + term;
                lost = next - sum - term;
                sum = next;
            }
            sum = TPack.SumOver<TLanes>(sum);
            if (lane == 0 && own < columns) sums[own] = sum;
        }
    }
}
