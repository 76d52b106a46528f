using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Attention;

/// <summary>How attention is cut into groups on a device.</summary>
/// <param name="GroupSize">Threads of a group.</param>
/// <param name="Lanes">Threads that share a row of a head.</param>
/// <param name="HeadsPerGroup">Heads of a group.</param>
/// <param name="RowsPerTile">Rows of a group: the size that the table of tiles is made for.</param>
/// <param name="SharedRows">Rows of the other side in shared memory at a time.</param>
public readonly record struct AttentionGrid(int GroupSize, int Lanes, int HeadsPerGroup, int RowsPerTile, int SharedRows)
{
    private const int LargestGroup = 256;

    // Values of a row that a group takes: wide enough for whole lines of memory.
    private const int RowValues = 128;

    // Small enough for several groups on a multiprocessor.
    private const int SharedBytes = 16 << 10;

    // Values of a row that a thread keeps in registers, of each array.
    private const int LargestShare = 16;

    /// <summary>Head widths that have kernels.</summary>
    public static bool Has(int headWidth) => headWidth is 1 or 2 or 4 or 8 or 16 or 32 or 64 or 128;

    /// <param name="device">Where.</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="headWidth">One that <see cref="Has"/> kernels.</param>
    /// <param name="longest">Tokens of the longest molecule.</param>
    /// <param name="elementSize">Bytes of a number.</param>
    public static AttentionGrid Of(KernelDevice device, int heads, int headWidth, int longest, int elementSize)
    {
        // Lanes exchange registers, which threads outside warps cannot.
        int lanes = device.WarpSize > 1 ? Math.Max(1, headWidth / LargestShare) : 1;
        int wanted = Math.Min(heads, Math.Max(1, RowValues / headWidth));
        long threads = (long)wanted * lanes * longest;
        int groupSize = device.GroupPer(1, (int)Math.Min(LargestGroup, (threads + 31) / 32 * 32)).GroupSize;
        int most = Math.Min(wanted, groupSize / lanes), chunks = (heads + most - 1) / most, perGroup = (heads + chunks - 1) / chunks;
        int shared = Math.Clamp(SharedBytes / (2 * perGroup * headWidth * elementSize) / HeadTile.Step * HeadTile.Step, HeadTile.Step, 64);
        return new AttentionGrid(groupSize, lanes, perGroup, groupSize / (perGroup * lanes), shared);
    }
}
