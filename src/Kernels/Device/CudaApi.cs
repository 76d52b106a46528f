using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChemScale.Kernels.Device;

/// <summary>What we call of the NVIDIA driver. Every function returns 0 or an error code.</summary>
internal static unsafe partial class CudaApi
{
    private const string Driver = "cuda-driver";

    private static readonly string[] Files = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    /// <summary>Handle of the driver's library; 0: there is none.</summary>
    public static nint Library { get; } =
        Files.Select(file => NativeLibrary.TryLoad(file, out nint library) ? library : 0).FirstOrDefault(l => l != 0);

    // The driver's file has another name on each system.
#pragma warning disable CA2255 // Nothing else can come before the first call.
    [ModuleInitializer]
    internal static void Register() =>
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => name == Driver ? Library : 0);
#pragma warning restore CA2255

    [LibraryImport(Driver)]
    public static partial int cuInit(uint flags);

    [LibraryImport(Driver)]
    public static partial int cuDriverGetVersion(out int version);

    /// <param name="error">Any code.</param>
    /// <param name="name">ASCII, the driver's own; null for a code that it does not know.</param>
    [LibraryImport(Driver)]
    public static partial int cuGetErrorName(int error, out byte* name);

    [LibraryImport(Driver)]
    public static partial int cuStreamSynchronize(nint stream);

    [LibraryImport(Driver)]
    public static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Driver)]
    public static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Driver)]
    public static partial int cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Driver)]
    [SuppressGCTransition]
    public static partial int cuCtxGetCurrent(out nint context);

    [LibraryImport(Driver)]
    public static partial int cuCtxSetCurrent(nint context);

    [LibraryImport(Driver)]
    public static partial int cuModuleLoadDataEx(out nint module, byte* image, uint options, int* names, nint* values);

    [LibraryImport(Driver, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int cuModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(Driver)]
    public static partial int cuFuncSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Driver)]
    public static partial int cuFuncGetAttribute(out int value, int attribute, nint function);

    [LibraryImport(Driver)]
    public static partial int cuEventCreate(out nint created, uint flags);

    [LibraryImport(Driver)]
    public static partial int cuEventRecord(nint recorded, nint stream);

    [LibraryImport(Driver)]
    public static partial int cuEventSynchronize(nint recorded);

    [LibraryImport(Driver)]
    public static partial int cuEventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(Driver, EntryPoint = "cuEventDestroy_v2")]
    public static partial int cuEventDestroy(nint destroyed);

    [LibraryImport(Driver)]
    public static partial int cuLaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, nint stream,
        nint* arguments, nint* extra);
}
