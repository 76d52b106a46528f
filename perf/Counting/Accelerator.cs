namespace ChemScale.Perf.Counting;

/// <summary>
/// What a device can do at best, a cycle and multiprocessor, from its maker's tables. Bounds, not predictions: nothing of latency, of the second-level
/// cache, or of how loads and arithmetic get into each other's way.
/// </summary>
internal static class Accelerator
{
    public const string Name = "H200";

    public const int Multiprocessors = 132;

    /// <summary>1/s, under load.</summary>
    public const double Clock = 1.83e9;

    /// <summary>Bytes a second of its memory.</summary>
    public const double Memory = 4.8e12;

    /// <summary>Warps that a multiprocessor may hold.</summary>
    public const int Warps = 64;

    /// <summary>Below as many, waiting decides, and nothing here says how long.</summary>
    public const int WarpsThatHideLatency = 16;

    /// <summary>Registers of a multiprocessor, and how many of them a warp takes at a time.</summary>
    public const int Registers = 64 << 10, RegistersAtATime = 256;

    public const int RegistersOfThread = 255;

    /// <summary>Warps come by fours, one for each scheduler.</summary>
    private const int Schedulers = 4;

    /// <summary>Bytes of shared memory of a multiprocessor, and what each group takes besides its own.</summary>
    public const int SharedBytes = 228 << 10, SharedBytesOfGroup = 1 << 10;

    /// <summary>Warp-instructions a cycle and multiprocessor: issued, of float32, of float64, of the special function unit, of m16n8k16 in bfloat16.</summary>
    public const double Issue = 4, Float32 = 4, Float64 = 2, Special = 0.5, Matrix = 1;

    /// <summary>Turns of 128 bytes that shared memory and the first-level cache, which are one, serve a cycle.</summary>
    public const double Turns = 1;

    /// <summary>Warps that a multiprocessor holds at once.</summary>
    /// <param name="warpsOfGroup">Of a group.</param>
    /// <param name="sharedBytes">Of a group.</param>
    /// <param name="registers">Of a thread.</param>
    public static int ResidentWarps(int warpsOfGroup, int sharedBytes, int registers)
    {
        int ofWarp = (32 * registers + RegistersAtATime - 1) / RegistersAtATime * RegistersAtATime, byRegisters = Registers / ofWarp / Schedulers * Schedulers;
        return warpsOfGroup * Math.Min(Math.Min(Warps, byRegisters) / warpsOfGroup, SharedBytes / (sharedBytes + SharedBytesOfGroup));
    }

    /// <summary>Cycles of one multiprocessor as seconds of all.</summary>
    public static double Seconds(double cycles) => cycles / (Multiprocessors * Clock);
}
