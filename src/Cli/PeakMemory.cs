using System.Diagnostics;

namespace ChemScale.Cli;

/// <summary>Greatest resident memory of this process so far.</summary>
internal static class PeakMemory
{
    public static string Text()
    {
        using Process process = Process.GetCurrentProcess();
        return $"{process.PeakWorkingSet64 / (1 << 20):N0} MiB";
    }
}
