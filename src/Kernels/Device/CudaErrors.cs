namespace ChemScale.Kernels.Device;

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
