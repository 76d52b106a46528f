using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>The arrays of a launch: what its threads may touch.</summary>
internal sealed class PtxMemory
{
    /// <summary>Arrays beyond it are not watched for races: the record takes four times their bytes.</summary>
    private const long MostWatched = 64L << 20;

    private const ulong SectorBytes = 32;

    private readonly (ulong Low, ulong High, long Word, long Sector)[] ranges;

    /// <param name="arguments">Of the launch.</param>
    /// <param name="words">Two of each argument, as a device takes them.</param>
    public PtxMemory(ReadOnlySpan<KernelArgument> arguments, ReadOnlySpan<long> words)
    {
        var arrays = new List<(ulong Low, ulong High)>();
        for (int i = 0; i < arguments.Length; i++)
        {
            ulong low = (ulong)words[2 * i];
            if (arguments[i].ElementBytes == 0 || words[2 * i + 1] == 0) continue;
            if (low == 0) Everywhere = true;
            else arrays.Add((low, low + (ulong)(words[2 * i + 1] * arguments[i].ElementBytes)));
        }
        arrays.Sort();
        // Arguments may overlap or be the same array.
        var apart = new List<(ulong Low, ulong High)>();
        foreach ((ulong low, ulong high) in arrays)
        {
            if (apart.Count > 0 && apart[^1].High > low) apart[^1] = (apart[^1].Low, Math.Max(apart[^1].High, high));
            else apart.Add((low, high));
        }
        ranges = [.. apart.Select(a => (a.Low, a.High, 0L, 0L))];
        for (int i = 0; i < ranges.Length; i++)
        {
            ranges[i] = ranges[i] with { Word = Words, Sector = Sectors };
            Words += (long)(ranges[i].High - ranges[i].Low + 7) / 4;
            Sectors += (long)((ranges[i].High - ranges[i].Low - 1) / SectorBytes) + 1;
        }
    }

    /// <summary>One argument is all memory: its kernel finds arrays by address, and nothing can be said of where it may go.</summary>
    public bool Everywhere { get; }

    /// <summary>Of four bytes, in all arrays.</summary>
    public long Words { get; }

    /// <summary>Of 32 bytes, in all arrays.</summary>
    public long Sectors { get; }

    public bool IsWatched => !Everywhere && Words <= MostWatched / 4;

    /// <summary>The array that holds a stretch of memory.</summary>
    /// <param name="low">First byte.</param>
    /// <param name="last">First byte of its last access.</param>
    /// <param name="bytes">Of an access.</param>
    /// <param name="hint">Looked at first.</param>
    /// <returns>-1: none does.</returns>
    public int Find(ulong low, ulong last, int bytes, int hint)
    {
        if ((uint)hint < (uint)ranges.Length && Holds(hint)) return hint;
        for (int i = 0; i < ranges.Length; i++)
            if (Holds(i)) return i;
        return -1;

        bool Holds(int i) => low >= ranges[i].Low && last < ranges[i].High && ranges[i].High - last >= (ulong)bytes;
    }

    /// <summary>An address's word in the record of races.</summary>
    public long Word(int range, ulong at) => ranges[range].Word + (long)((at - ranges[range].Low) / 4);

    /// <summary>Address of an array's first byte.</summary>
    public ulong Start(int range) => ranges[range].Low;

    /// <summary>A sector's place in a record of those of all arrays.</summary>
    /// <param name="range">The array.</param>
    /// <param name="offset">Bytes from its first.</param>
    public long Sector(int range, ulong offset) => ranges[range].Sector + (long)(offset / SectorBytes);

    /// <summary>How an address lies to the nearest array, for a message.</summary>
    public string Beside(ulong at)
    {
        if (ranges.Length == 0) return "and there is none";
        (ulong low, ulong high, _, _) = ranges.MinBy(r => at < r.Low ? r.Low - at : at - r.High);
        return at < low ? $"{low - at:N0} bytes before the nearest of {high - low:N0}" : $"{at - low:N0} bytes into the nearest of {high - low:N0}";
    }
}
