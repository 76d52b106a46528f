using System.Runtime.InteropServices;
using System.Text;

namespace ChemScale.Kernels.Device;

/// <summary>What the NVIDIA driver of this machine says of itself. Asks the driver alone: neither a toolkit nor libtorch is needed.</summary>
public sealed unsafe class CudaDriver
{
    private static readonly string[] Names = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    private CudaDriver(string absence) => Absence = absence;

    private CudaDriver(int version, IReadOnlyList<CudaDeviceFacts> devices)
    {
        Version = version;
        Devices = devices;
    }

    /// <summary>Why no device can be used; null where one can.</summary>
    public string? Absence { get; }

    /// <summary>CUDA version the driver supports, 1000 major + 10 minor.</summary>
    public int Version { get; }

    public IReadOnlyList<CudaDeviceFacts> Devices { get; } = [];

    public static CudaDriver Find()
    {
        nint library = 0;
        if (!Names.Any(name => NativeLibrary.TryLoad(name, out library))) return new CudaDriver("no NVIDIA driver (libcuda) on this machine");
        var init = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(library, "cuInit");
        var driverVersion = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDriverGetVersion");
        var count = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDeviceGetCount");
        var get = (delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(library, "cuDeviceGet");
        var name = (delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(library, "cuDeviceGetName");
        var memory = (delegate* unmanaged<nuint*, int, int>)NativeLibrary.GetExport(library, "cuDeviceTotalMem_v2");
        var attribute = (delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(library, "cuDeviceGetAttribute");

        int code = init(0);
        if (code != 0) return new CudaDriver($"the NVIDIA driver does not start (cuInit returns {code})");
        int version = 0, devices = 0;
        _ = driverVersion(&version);
        code = count(&devices);
        if (code != 0 || devices == 0) return new CudaDriver("the NVIDIA driver sees no device");
        var facts = new List<CudaDeviceFacts>();
        byte* text = stackalloc byte[256];
        for (int i = 0; i < devices; i++)
        {
            int device, major = 0, minor = 0;
            nuint bytes = 0;
            if (get(&device, i) != 0) continue;
            _ = name(text, 256, device);
            _ = memory(&bytes, device);
            _ = attribute(&major, 75, device); // COMPUTE_CAPABILITY_MAJOR
            _ = attribute(&minor, 76, device); // COMPUTE_CAPABILITY_MINOR
            facts.Add(new CudaDeviceFacts(Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)), major, minor, (long)bytes));
        }
        return new CudaDriver(version, facts);
    }
}

/// <summary>One CUDA device; memory in bytes.</summary>
public sealed record CudaDeviceFacts(string Name, int Major, int Minor, long Memory);

/// <summary>The driver's error codes as our faults.</summary>
internal static class CudaErrors
{
    /// <param name="code">0 passes.</param>
    /// <param name="doing">What was tried, for the message.</param>
    /// <exception cref="KernelException">Any other code.</exception>
    public static void Check(int code, string doing)
    {
        if (code != 0) throw Of(code, doing);
    }

    public static KernelException Of(int code, string doing, string log = "")
    {
        (KernelFault fault, string reason) = code switch
        {
            2 => (KernelFault.OutOfMemory, "out of device memory"),
            3 => (KernelFault.NoDriver, "the driver has not started"),
            35 or 803 => (KernelFault.DriverTooOld, "the driver is too old for its library"),
            100 or 101 => (KernelFault.NoDriver, "no such CUDA device"),
            201 => (KernelFault.LaunchFailed, "no CUDA context"),
            209 => (KernelFault.BadKernel, "no code for this device"),
            218 => (KernelFault.BadKernel, "the driver rejects the PTX"),
            222 => (KernelFault.DriverTooOld, "the driver is too old for this version of PTX. HINT: update the NVIDIA driver"),
            700 => (KernelFault.LaunchFailed, "an illegal memory access, in this kernel or an earlier one"),
            701 => (KernelFault.LaunchFailed, "too many registers or too much shared memory for the group size"),
            _ => (KernelFault.LaunchFailed, "the driver refuses"),
        };
        string detail = log.Trim() is { Length: > 0 } text ? "\n" + text : "";
        return new KernelException(fault, $"{doing}: {reason} (CUDA error {code}){detail}");
    }
}
