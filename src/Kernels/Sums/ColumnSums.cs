using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Sums;

/// <summary>Sums over the rows of a small matrix, such as partial sums of row chunks: one owner a column.</summary>
internal static class ColumnSums
{
    /// <param name="rows">How many; may be 0.</param>
    /// <param name="matrix">(rows, n), n columns or packs of them</param>
    /// <param name="sums">(n), written</param>
    public static void Run<T, TPack, TLanes>(int rows, ArrayView<TPack> matrix, [Written] ArrayView<TPack> sums)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int columns = sums.IntLength, lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        // As many rounds for every thread: lanes without a column still take part in the sums.
        for (int start = 0; start < columns; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), column = own < columns ? own : columns - 1;
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

/// <summary>
/// How sums over rows are cut: into runs of whole rows, each summed in order, and the runs' sums in order after that. It depends on the
/// number of rows alone, so a sum is the same to the last bit whenever it is made again.
/// </summary>
public static class RowChunks
{
    private const int Most = 256, Fewest = 32;

    /// <summary>Runs: of 32 rows, but at most 256 of them.</summary>
    public static int Count(long rows) => (int)Math.Min(Most, (rows + Fewest - 1) / Fewest);

    /// <summary>Rows of a run; the last has fewer, or, at odd sizes, none.</summary>
    internal static int Length(long rows) => rows == 0 ? 0 : (int)((rows + Count(rows) - 1) / Count(rows));
}

/// <summary>The column sums by number type, columns a warp owns, and lanes.</summary>
internal sealed class ColumnSumsKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants =>
    [
        .. ColumnSumsKernels<float, Pack1<float>>.Run.Variants(),
        .. ColumnSumsKernels<float, Pack4<float>>.Run.Variants(vectorLoads: true, vectorStores: true),
        .. ColumnSumsKernels<double, Pack1<double>>.Run.Variants(float64: true),
        .. ColumnSumsKernels<double, Pack4<double>>.Run.Variants(vectorLoads: true, vectorStores: true, float64: true),
    ];
}

/// <summary>Made once.</summary>
internal static class ColumnSumsKernels<T, TPack>
    where T : unmanaged, INumber<T>
    where TPack : unmanaged, IPack<T, TPack>
{
    public static readonly KernelByLanes Run =
        new(KernelMethod.Of(ColumnSums.Run<T, TPack, OneLane>), KernelMethod.Of(ColumnSums.Run<T, TPack, WarpLanes>));
}

/// <summary>Launches <see cref="ColumnSums"/>.</summary>
public static class ColumnSumsLauncher<T>
    where T : unmanaged, INumber<T>
{
    /// <param name="device">Where.</param>
    /// <param name="matrix">(rows, n); no rows: the sums are zero</param>
    /// <param name="sums">(n), written</param>
    public static void Run(KernelDevice device, DeviceArray<T> matrix, DeviceArray<T> sums)
    {
        int rows = sums.Length == 0 ? 0 : (int)(matrix.Length / sums.Length);
        if (DeviceArray<T>.AreFours(sums.Length, matrix, sums)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            ColumnSumsKernels<T, TPack>.Run.Launch(device, sums.Length / TPack.Count, rows, KernelArgument.Of(matrix.As<TPack>()),
                KernelArgument.Of(sums.As<TPack>()));
    }
}
