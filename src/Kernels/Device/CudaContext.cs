using System.Collections.Concurrent;

namespace ChemScale.Kernels.Device;

/// <summary>
/// The primary context of a CUDA device: the one that PyTorch's memory lives in. Retained, never created anew, and never released, since
/// the tensor library holds it to the end of the process too.
/// </summary>
public sealed class CudaContext
{
    private const int ComputeMajor = 75, ComputeMinor = 76, Multiprocessors = 16, SharedBytesOptIn = 97;

    private static readonly ConcurrentDictionary<int, Lazy<CudaContext>> Contexts = new();

    private readonly nint primary;

    private CudaContext(int ordinal)
    {
        if (CudaApi.Library == 0) throw new KernelException(KernelFault.NoDriver, "no NVIDIA driver (libcuda)");
        CudaErrors.Check(CudaApi.cuInit(0), "starting the NVIDIA driver");
        CudaErrors.Check(CudaApi.cuDeviceGet(out int device, ordinal), $"cuda:{ordinal}");
        CudaErrors.Check(CudaApi.cuDevicePrimaryCtxRetain(out primary, device), $"the context of cuda:{ordinal}");
        Architecture = $"sm_{Attribute(ComputeMajor)}{Attribute(ComputeMinor)}";
        MultiprocessorCount = Attribute(Multiprocessors);
        LargestSharedBytes = Attribute(SharedBytesOptIn);

        int Attribute(int attribute)
        {
            int code = CudaApi.cuDeviceGetAttribute(out int value, attribute, device);
            CudaErrors.Check(code, $"asking cuda:{ordinal} for attribute {attribute}");
            return value;
        }
    }

    /// <summary>sm_80, sm_90 and their like.</summary>
    public string Architecture { get; }

    public int MultiprocessorCount { get; }

    /// <summary>Shared memory a group can have, in bytes.</summary>
    public int LargestSharedBytes { get; }

    /// <exception cref="KernelException">No driver, or no such device.</exception>
    public static CudaContext Of(int ordinal) =>
        Contexts.GetOrAdd(ordinal, o => new Lazy<CudaContext>(() => new CudaContext(o), LazyThreadSafetyMode.PublicationOnly)).Value;

    /// <summary>
    /// Makes the context current on this thread until disposal. A thread that had none, as autograd's threads may, keeps it; one that was
    /// at work on another device gets its own back, since the tensor library reads the current device from there.
    /// </summary>
    internal Binding Bind()
    {
        CudaErrors.Check(CudaApi.cuCtxGetCurrent(out nint current), "asking for the current context");
        if (current == primary) return default;
        CudaErrors.Check(CudaApi.cuCtxSetCurrent(primary), "binding the context");
        return new Binding(current);
    }

    internal readonly ref struct Binding(nint previous)
    {
        public void Dispose()
        {
            if (previous != 0) CudaErrors.Check(CudaApi.cuCtxSetCurrent(previous), "binding the earlier context");
        }
    }
}
