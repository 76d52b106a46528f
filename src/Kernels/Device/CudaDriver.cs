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
internal static unsafe class CudaErrors
{
    /// <summary>The driver's own variable: with 1 a launch is waited for, and what goes wrong is known to be its own.</summary>
    public const string BlockingVariable = "CUDA_LAUNCH_BLOCKING";

    public static bool IsBlocking { get; } = Environment.GetEnvironmentVariable(BlockingVariable) == "1";

    /// <param name="code">0 passes.</param>
    /// <param name="doing">What was tried, for the message.</param>
    /// <exception cref="KernelException">Any other code.</exception>
    public static void Check(int code, string doing)
    {
        if (code != 0) throw Of(code, doing);
    }

    /// <param name="code">Not 0.</param>
    /// <param name="doing">What was tried.</param>
    /// <param name="log">What else the driver says.</param>
    /// <param name="own">It was waited for: what went wrong is its own.</param>
    /// <param name="names">The driver's names of codes; null: the driver.</param>
    public static KernelException Of(int code, string doing, string log = "", bool own = false, Func<int, string?>? names = null)
    {
        (KernelFault fault, string reason) = code switch
        {
            2 => (KernelFault.OutOfMemory, "out of device memory"),
            3 => (KernelFault.NoDriver, "the driver has not started"),
            35 or 803 => (KernelFault.DriverTooOld, "the driver is too old for its library"),
            100 or 101 => (KernelFault.NoDriver, "no such CUDA device"),
            201 => (KernelFault.LaunchFailed, "no CUDA context"),
            209 => (KernelFault.BadKernel, "no code for this device"),
            214 => (KernelFault.LaunchFailed, "a memory error that could not be corrected"),
            218 => (KernelFault.BadKernel, "the driver rejects the PTX"),
            221 => (KernelFault.NoDriver, "the driver has no compiler for PTX"),
            222 => (KernelFault.DriverTooOld, "the driver is too old for this version of PTX. HINT: update the NVIDIA driver"),
            700 => (KernelFault.LaunchFailed, "a kernel reached for memory that is none"),
            701 => (KernelFault.LaunchFailed, "too many registers or too much shared memory for the group size"),
            702 => (KernelFault.LaunchFailed, "a kernel took longer than this system allows"),
            714 => (KernelFault.LaunchFailed, "a fault of the device's stack"),
            715 => (KernelFault.LaunchFailed, "a kernel came to an instruction that is none"),
            716 => (KernelFault.LaunchFailed, "a kernel reached for an address that is not aligned"),
            717 => (KernelFault.LaunchFailed, "a kernel used an address in the wrong space"),
            718 => (KernelFault.LaunchFailed, "a kernel jumped out of its code"),
            719 => (KernelFault.LaunchFailed, "a kernel broke off"),
            _ => (KernelFault.LaunchFailed, "the driver refuses"),
        };
        string name = (names ?? Name)(code) is { } known ? known + ", " : "";
        // Devices run behind the program: who asks next is told of what an earlier kernel did.
        string whose = own || !IsOfSomeKernel(code) ? ""
            : $". Which kernel it was is not known: this one or any before. HINT: {BlockingVariable}=1 in the environment waits for each, and names it";
        string detail = log.Trim() is { Length: > 0 } text ? "\n" + text : "";
        return new KernelException(fault, $"{doing}: {reason} ({name}CUDA error {code}){whose}{detail}");
    }

    private static bool IsOfSomeKernel(int code) => code is 214 or 220 or 700 or 702 or (>= 710 and <= 719);

    private static string? Name(int code) =>
        CudaApi.Library != 0 && CudaApi.cuGetErrorName(code, out byte* name) == 0 && name != null ? Marshal.PtrToStringUTF8((nint)name) : null;
}
