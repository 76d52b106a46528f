namespace ChemScale.Kernels.Device;

/// <summary>Where kernels run. The same kernel and the same arguments run on each.</summary>
public abstract class KernelDevice
{
    /// <summary>Threads that run in step and may exchange registers; 1: none do.</summary>
    public abstract int WarpSize { get; }

    /// <summary>What multiplies small matrices of bfloat16 there.</summary>
    public abstract MatrixUnits MatrixUnits { get; }

    /// <summary>Shared memory that a group may ask for.</summary>
    public abstract int LargestSharedBytes { get; }

    /// <summary>
    /// Groups enough for a strided loop over as many threads, and not so many that they queue. A kernel must not rely on getting a thread
    /// per item: the CPU gives one for all.
    /// </summary>
    /// <param name="threads">Threads that would have something to do.</param>
    /// <param name="groupSize">Wanted threads a group, a multiple of 32; the device may give fewer.</param>
    public abstract LaunchShape Cover(long threads, int groupSize = 256);

    /// <summary>One group for each item, whose threads share it: for a row, a molecule, a tile.</summary>
    public abstract LaunchShape GroupPer(long items, int groupSize, int sharedBytes = 0);

    /// <summary>
    /// Queues a kernel behind the device's earlier work. The CPU is done when this returns. Owners of its arrays live until then; memory
    /// that they free later is given away behind the kernel.
    /// </summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="shape">No groups: nothing happens.</param>
    /// <param name="arguments">One for each parameter of the kernel, in order.</param>
    /// <exception cref="KernelException">It does not compile, load, or start, or the arguments do not fit.</exception>
    public void Launch(KernelMethod kernel, LaunchShape shape, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (shape.Groups == 0) return;
        kernel.Check(arguments);
        Start(kernel, shape, arguments);
        foreach (KernelArgument argument in arguments) argument.KeepOwner();
    }

    private protected abstract void Start(KernelMethod kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments);

    /// <exception cref="KernelException">More groups than a grid has.</exception>
    private protected static int Groups(long groups) => groups <= int.MaxValue
        ? (int)groups
        : throw new KernelException(KernelFault.BadArgument, $"{groups:N0} groups; a grid has at most {int.MaxValue:N0}");
}

/// <summary>Memory that a kernel sees as an <c>ArrayView</c> of T. Not owned: a launch keeps its owner until it returns.</summary>
/// <param name="Address">Of the first element, on the device that the kernel runs on.</param>
/// <param name="Length">In elements.</param>
/// <param name="Owner">Whose finalizer would free the memory; null: memory that somebody else holds.</param>
public readonly record struct DeviceArray<T>(nint Address, long Length, object? Owner = null)
    where T : unmanaged
{
    /// <summary>No elements: for an argument that a variant of the kernel does not touch.</summary>
    public static DeviceArray<T> Empty => default;

    /// <summary>True where the address is a multiple of 16 bytes, as vector loads and stores need.</summary>
    public bool IsAligned => (Address & 15) == 0;

    /// <summary>Whether rows of <paramref name="width"/> elements are whole packs of four, at addresses that such packs may have.</summary>
    public static bool AreFours(long width, params ReadOnlySpan<DeviceArray<T>> arrays)
    {
        bool fours = width % 4 == 0;
        foreach (DeviceArray<T> array in arrays) fours &= array.IsAligned;
        return fours;
    }

    /// <summary>The same memory as elements of another size, such as a <c>Pack4</c> of T.</summary>
    public unsafe DeviceArray<TOther> As<TOther>()
        where TOther : unmanaged => new(Address, Length * sizeof(T) / sizeof(TOther), Owner);
}

/// <summary>How many threads run a kernel. No groups: nothing to do, and nothing is launched.</summary>
/// <param name="Groups">Thread groups (CUDA: blocks).</param>
/// <param name="GroupSize">Threads of a group.</param>
/// <param name="SharedBytes">Dynamic shared memory of a group.</param>
public readonly record struct LaunchShape(int Groups, int GroupSize, int SharedBytes = 0);

/// <summary>A kernel could not be compiled, loaded or launched.</summary>
public sealed class KernelException : Exception
{
    public KernelException(KernelFault fault, string message, Exception? cause = null)
        : base(message, cause) => Fault = fault;

    public KernelFault Fault { get; }
}

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

/// <summary>What of a device multiplies small matrices of bfloat16.</summary>
public enum MatrixUnits
{
    None,

    /// <summary>Those of NVIDIA devices from sm_80 on.</summary>
    TensorCores,

    /// <summary>The CPU's warps play them, for tests.</summary>
    Emulated,
}
