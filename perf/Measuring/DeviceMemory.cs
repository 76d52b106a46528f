using System.Globalization;
using ChemScale.Kernels.Device;

namespace ChemScale.Perf.Measuring;

/// <summary>How much a case may take.</summary>
internal static class DeviceMemory
{
    private const double ShareOfHost = 0.6;
    private const double ShareOfDevice = 0.9;

    // The library keeps what it has freed, and the peer wants room of its own.
    private const double ShareOfDeviceBesidePeer = 0.45;

    /// <summary>Bytes: what was asked for, else a share of what is free on the host, or of all of the device.</summary>
    public static double Allowed(RunSettings settings, bool onHost) => settings.MemoryBytes
        ?? (settings.Cuda && !onHost
            ? (settings.Peer is null ? ShareOfDevice : ShareOfDeviceBesidePeer) * CudaDriver.Find().Devices[settings.Ordinal].Memory : ShareOfHost * Free());

    /// <summary>Bytes of the host's memory.</summary>
    public static double Total() => FromKernel("MemTotal:") ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private static double Free()
    {
        double limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Math.Min(FromKernel("MemAvailable:") ?? limit, limit);
    }

    private static double? FromKernel(string key)
    {
        const string Path = "/proc/meminfo";
        if (!File.Exists(Path)) return null;
        string? line = File.ReadLines(Path).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal));
        return line is null ? null : 1024 * double.Parse(line[key.Length..].Replace("kB", "").Trim(), CultureInfo.InvariantCulture);
    }
}
