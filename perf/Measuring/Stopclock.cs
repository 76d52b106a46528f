using System.Diagnostics;
using ChemScale.Kernels.Device;

namespace ChemScale.Perf.Measuring;

/// <summary>How long work takes: by events on CUDA, from an idle device until all is done; by the system's clock on the CPU.</summary>
internal sealed class Stopclock(bool cuda, int ordinal) : IDisposable
{
    private readonly CudaTimer? timer = cuda ? new CudaTimer(ordinal) : null;

    /// <returns>Seconds.</returns>
    public double Time(Action work)
    {
        timer?.Start();
        long start = Stopwatch.GetTimestamp();
        work();
        return (timer?.Stop() ?? Stopwatch.GetElapsedTime(start)).TotalSeconds;
    }

    public void Dispose() => timer?.Dispose();
}
