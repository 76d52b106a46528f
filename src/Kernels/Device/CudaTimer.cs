namespace ChemScale.Kernels.Device;

/// <summary>Times work on a CUDA device's stream 0 by events: what the device took, not what queueing took.</summary>
public sealed class CudaTimer : IDisposable
{
    private readonly CudaContext context;
    private readonly nint start;
    private readonly nint end;

    /// <exception cref="KernelException">No driver, or no such device.</exception>
    public CudaTimer(int ordinal)
    {
        context = CudaContext.Of(ordinal);
        using CudaContext.Binding binding = context.Bind();
        CudaErrors.Check(CudaApi.cuEventCreate(out start, 0), "making an event");
        CudaErrors.Check(CudaApi.cuEventCreate(out end, 0), "making an event");
    }

    public void Start()
    {
        using CudaContext.Binding binding = context.Bind();
        CudaErrors.Check(CudaApi.cuEventRecord(start, 0), "recording an event");
    }

    /// <summary>Waits for the work queued since <see cref="Start"/>, and says how long it took.</summary>
    public TimeSpan Stop()
    {
        using CudaContext.Binding binding = context.Bind();
        CudaErrors.Check(CudaApi.cuEventRecord(end, 0), "recording an event");
        CudaErrors.Check(CudaApi.cuEventSynchronize(end), "waiting for an event");
        CudaErrors.Check(CudaApi.cuEventElapsedTime(out float milliseconds, start, end), "asking an event for its time");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    public void Dispose()
    {
        _ = CudaApi.cuEventDestroy(start);
        _ = CudaApi.cuEventDestroy(end);
    }
}
