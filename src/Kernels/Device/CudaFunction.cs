using System.Runtime.InteropServices;
using System.Text;

namespace ChemScale.Kernels.Device;

/// <summary>A kernel loaded into the current context. It stays to the end of the process.</summary>
public sealed unsafe class CudaFunction
{
    private const int ErrorLog = 5, ErrorLogBytes = 6;
    private const int MaximumDynamicShared = 8;
    private const int LocalSize = 3, RegisterCount = 4;

    private int allowedShared;

    /// <param name="module">Handle of one that is loaded.</param>
    /// <param name="entryPoint">In it.</param>
    /// <param name="name">Of the kernel, for messages.</param>
    internal CudaFunction(nint module, string entryPoint, string name)
    {
        CudaErrors.Check(CudaApi.cuModuleGetFunction(out nint handle, module, entryPoint), $"finding {name} in its module");
        Handle = handle;
        Registers = Attribute(RegisterCount);
        LocalBytes = Attribute(LocalSize);

        int Attribute(int attribute)
        {
            CudaErrors.Check(CudaApi.cuFuncGetAttribute(out int value, attribute, handle), $"asking about {name}");
            return value;
        }
    }

    /// <summary>Loads a module into the current context.</summary>
    /// <param name="module">What to load.</param>
    /// <param name="name">Of it, for messages.</param>
    internal static nint Loaded(PtxModule module, string name)
    {
        const int LogBytes = 8192;
        byte* log = stackalloc byte[LogBytes];
        log[0] = 0;
        int* options = stackalloc int[] { ErrorLog, ErrorLogBytes };
        nint* values = stackalloc nint[] { (nint)log, LogBytes };
        int code;
        nint loaded;
        fixed (byte* image = Encoding.ASCII.GetBytes(module.Text + '\0'))
            code = CudaApi.cuModuleLoadDataEx(out loaded, image, 2, options, values);
        if (code != 0) throw CudaErrors.Of(code, $"loading {name} for {module.Architecture}", Marshal.PtrToStringUTF8((nint)log) ?? "");
        return loaded;
    }

    /// <summary>Registers of a thread.</summary>
    public int Registers { get; }

    /// <summary>Local memory of a thread in bytes, spilled registers included.</summary>
    public int LocalBytes { get; }

    internal nint Handle { get; }

    internal void AllowShared(int bytes)
    {
        if (bytes <= Volatile.Read(ref allowedShared)) return;
        CudaErrors.Check(CudaApi.cuFuncSetAttribute(Handle, MaximumDynamicShared, bytes), $"allowing {bytes:N0} bytes of shared memory");
        Volatile.Write(ref allowedShared, bytes);
    }
}
