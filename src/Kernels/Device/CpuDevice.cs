using System.Collections.Concurrent;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace ChemScale.Kernels.Device;

/// <summary>
/// ILGPU's CPU accelerator over memory that exists already: for tests. It gives every lane a thread of the system, so real sizes run on
/// <see cref="Scalar"/>, one thread that walks the whole grid at the speed of plain C#, and only tiny ones on <see cref="Warps"/>.
/// </summary>
public sealed class CpuDevice : KernelDevice
{
    private static readonly Lazy<CpuDevice> LazyScalar = new(() => new CpuDevice(new CPUDevice(2, 1, 1), 1));
    private static readonly Lazy<CpuDevice> LazyWarps = new(() => new CpuDevice(new CPUDevice(Warp, 2, 1), 2 * Warp));

    private const int Warp = 32;

    // Two threads that launch do not wait for each other; a third does, and each accelerator compiles its kernels anew.
    private const int MostAccelerators = 2;

    private readonly CPUDevice device;
    private readonly int largestGroup;
    private readonly Lock making = new();
    private volatile Accelerator[] accelerators = [];

    private CpuDevice(CPUDevice device, int largestGroup) => (this.device, this.largestGroup) = (device, largestGroup);

    /// <summary>Groups of one thread.</summary>
    public static CpuDevice Scalar => LazyScalar.Value;

    /// <summary>Groups of up to two full warps, with barriers and shuffles.</summary>
    public static CpuDevice Warps => LazyWarps.Value;

    public override int WarpSize => largestGroup == 1 ? 1 : Warp;

    public override MatrixUnits MatrixUnits => largestGroup == 1 ? MatrixUnits.None : MatrixUnits.Emulated;

    // As an H100 or H200, so that the CPU runs the tiles that they would.
    public override int LargestSharedBytes => 227 << 10;

    // At most two groups of two warps: the loops still stride, and every kind of neighbour exists. Idle warps would only cost barriers.
    public override LaunchShape Cover(long threads, int groupSize = 256)
    {
        if (threads == 0) return default;
        long warps = (threads + WarpSize - 1) / WarpSize;
        int size = (int)Math.Min(warps * WarpSize, Math.Min(groupSize, largestGroup));
        return new LaunchShape(largestGroup == 1 || threads <= size ? 1 : 2, size);
    }

    public override LaunchShape GroupPer(long items, int groupSize, int sharedBytes = 0) =>
        new(Groups(items), Math.Min(groupSize, largestGroup), sharedBytes);

    private protected override void Start(KernelMethod kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments)
    {
        Accelerator accelerator = Take(kernel);
        try
        {
            accelerator.Launch(kernel, shape, arguments);
        }
        finally
        {
            accelerator.Gate.Exit();
        }
    }

    /// <summary>One that nobody uses, best one that knows the kernel; entered.</summary>
    private Accelerator Take(KernelMethod kernel)
    {
        Accelerator[] present = accelerators;
        foreach (bool known in (ReadOnlySpan<bool>)[true, false])
            foreach (Accelerator free in present)
                if (free.Knows(kernel) == known && free.Gate.TryEnter()) return free;
        if (present.Length < MostAccelerators)
        {
            lock (making)
            {
                if (accelerators.Length < MostAccelerators)
                {
                    var made = new Accelerator(device, WarpSize > 1);
                    made.Gate.Enter();
                    accelerators = [.. accelerators, made];
                    return made;
                }
            }
            present = accelerators;
        }
        Accelerator next = present.FirstOrDefault(a => a.Knows(kernel)) ?? present[^1];
        next.Gate.Enter();
        return next;
    }

    /// <summary>One of ILGPU's, for one launch at a time.</summary>
    private sealed class Accelerator
    {
        private readonly ConcurrentDictionary<KernelMethod, Kernel> kernels = new();
        private readonly CPUAccelerator accelerator;
        private readonly bool warps;

        public Accelerator(CPUDevice device, bool warps)
        {
            this.warps = warps;
            Context context = Context.Create(builder =>
                builder.EnableAlgorithms().Optimize(OptimizationLevel.O2).Inlining(InliningMode.Aggressive).CPU(device));
            accelerator = context.CreateCPUAccelerator(0, CPUAcceleratorMode.Parallel);
        }

        public Lock Gate { get; } = new();

        public bool Knows(KernelMethod kernel) => kernels.ContainsKey(kernel);

        public void Launch(KernelMethod kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments)
        {
            var boxed = new object[arguments.Length];
            var buffers = new List<MemoryBuffer>(arguments.Length);
            for (int i = 0; i < boxed.Length; i++) boxed[i] = arguments[i].Box(accelerator, buffers);
            SharedMemoryConfig shared = shape.SharedBytes > 0 ? SharedMemoryConfig.RequestDynamic<byte>(shape.SharedBytes) : default;
            Load(kernel).Launch(accelerator.DefaultStream, new KernelConfig(shape.Groups, shape.GroupSize, shared), boxed);
            accelerator.Synchronize();
            foreach (MemoryBuffer buffer in buffers) buffer.Dispose();
        }

        private Kernel Load(KernelMethod kernel)
        {
            if (kernels.TryGetValue(kernel, out Kernel? loaded)) return loaded;
            // Warps run what a device with warps would; one thread a group may have kernels of its own.
            if (warps) KernelFamilies.Check(kernel);
            try
            {
                return kernels[kernel] = accelerator.LoadKernel(kernel.Method);
            }
            catch (InternalCompilerException e)
            {
                throw new KernelException(KernelFault.BadKernel, $"kernel {kernel.Name} does not compile: {e.Message}", e);
            }
        }
    }
}
