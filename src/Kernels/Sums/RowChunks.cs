namespace ChemScale.Kernels.Sums;

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
