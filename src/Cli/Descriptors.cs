using System.Runtime.InteropServices;

namespace ChemScale.Cli;

/// <summary>
/// Whether this process may open as many files as the runtime, libtorch and a run need. Asked before anything else is loaded: with too few
/// the runtime cannot even load what would say so. It needs about 35 to come this far; with less it dies by itself, with a message of its own.
/// </summary>
internal static unsafe partial class Descriptors
{
    private const int Needed = 160;

    /// <summary>False, and one line on standard error, where they are too few. The runtime has raised the soft limit to the hard one by now.</summary>
    public static bool Suffice()
    {
        if (!OperatingSystem.IsLinux()) return true;
        // Current and highest limit.
        ulong* limit = stackalloc ulong[2];
        const int OpenFiles = 7;
        if (GetLimit(OpenFiles, limit) != 0 || limit[0] >= Needed) return true;
        // Character by character: whatever formats numbers or encodes text may be what cannot be loaded.
        Say("chemscale: file descriptors: at most "u8);
        Say(limit[0]);
        Say("; expected at least "u8);
        Say(Needed);
        Say(". HINT: ulimit -n 1024, or ask who sets the limit\n"u8);
        return false;
    }

    private static void Say(ulong number)
    {
        Span<byte> digits = stackalloc byte[20];
        int at = digits.Length;
        do
        {
            digits[--at] = (byte)('0' + number % 10);
            number /= 10;
        }
        while (number > 0);
        Say(digits[at..]);
    }

    private static void Say(ReadOnlySpan<byte> text)
    {
        const int StandardError = 2;
        fixed (byte* start = text) _ = Write(StandardError, start, text.Length);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* limit);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int file, byte* bytes, nint count);
}
