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
