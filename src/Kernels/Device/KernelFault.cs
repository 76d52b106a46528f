namespace ChemScale.Kernels.Device;

/// <summary>What went wrong with a kernel, for callers who can do something about it.</summary>
public enum KernelFault
{
    /// <summary>No NVIDIA driver, or one that does not start or sees no device.</summary>
    NoDriver,

    /// <summary>The driver is older than the PTX version that the device's architecture needs.</summary>
    DriverTooOld,

    OutOfMemory,

    /// <summary>The kernel's code cannot be translated: the fault is in the kernel, not in its use.</summary>
    BadKernel,

    /// <summary>The arguments do not fit the kernel: count, kind, or more elements than 32-bit indices reach.</summary>
    BadArgument,

    /// <summary>The device refused or broke off a launch.</summary>
    LaunchFailed,
}
