using System.Runtime.InteropServices;

namespace ChemScale.Engine.Native;

/// <summary>
/// Lets the C library keep the memory that tensors give back. By default it returns the top of the heap to the system whenever some
/// megabytes are free there; a training step then faults the same pages in again and again, a third of a small model's time.
/// </summary>
internal static unsafe class NativeHeap
{
    // <malloc.h>
    private const int TrimThreshold = -1, MapThreshold = -3, MostMapped = -4;

    // The most that glibc takes. Larger blocks would be mapped, and unmapped when freed: what a layer keeps of 9,000 tokens is one, and such a
    // step spent more time faulting pages in than computing.
    private const int LargestBlock = 32 << 20;

    private static readonly string[] Variables = ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES"];

    /// <summary>Does nothing where there is no GNU C library, or where the environment sets thresholds of its own.</summary>
    public static void KeepFreed()
    {
        if (!OperatingSystem.IsLinux() || Variables.Any(IsSet)) return;
        if (!NativeLibrary.TryLoad("libc.so.6", out nint library)) return;
        if (!NativeLibrary.TryGetExport(library, "mallopt", out nint entry)) return;
        var set = (delegate* unmanaged[Cdecl]<int, int, int>)entry;
        set(MapThreshold, LargestBlock);
        set(MostMapped, 0);
        set(TrimThreshold, int.MaxValue);
    }

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 };
}
