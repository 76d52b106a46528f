using System.Collections.Concurrent;
using System.Reflection;

namespace ChemScale.Kernels.Device;

/// <summary>
/// A CUDA device. Kernels go to stream 0 of the primary context, where TorchSharp's own work goes: nothing needs to wait for anything.
/// </summary>
public sealed unsafe class CudaDevice : KernelDevice
{
    // What every device grants a group without asking.
    private const int FreeSharedBytes = 48 << 10;

    private static readonly ConcurrentDictionary<int, CudaDevice> Devices = new();

    private readonly ConcurrentDictionary<MethodInfo, CudaFunction> functions = new();
    private readonly CudaContext context;
    private readonly KernelModules modules;

    private CudaDevice(int ordinal)
    {
        context = CudaContext.Of(ordinal);
        modules = new KernelModules(ModuleCache.Default, context.Architecture, CudaFunction.Loaded);
    }

    public override int WarpSize => 32;

    public override MatrixUnits MatrixUnits =>
        KernelCompiler.Number(context.Architecture) >= 80 ? MatrixUnits.TensorCores : MatrixUnits.None;

    public override int LargestSharedBytes => context.LargestSharedBytes;

    /// <exception cref="KernelException">No driver, or no such device.</exception>
    public static CudaDevice Of(int ordinal) => Devices.GetOrAdd(ordinal, o => new CudaDevice(o));

    public override LaunchShape Cover(long threads, int groupSize = 256) => Cover(threads, groupSize, context.MultiprocessorCount);

    public override LaunchShape GroupPer(long items, int groupSize, int sharedBytes = 0) => new(Groups(items), groupSize, sharedBytes);

    /// <summary>Registers and local memory of a kernel as the driver compiled it.</summary>
    public CudaFunction Load(KernelMethod kernel)
    {
        using CudaContext.Binding binding = context.Bind();
        if (functions.TryGetValue(kernel.Method, out CudaFunction? known)) return known;
        (nint module, string entryPoint) = modules.Get(kernel);
        return functions.GetOrAdd(kernel.Method, _ => new CudaFunction(module, entryPoint, kernel.Name));
    }

    /// <summary>Compiles all kernels, several at a time, and loads each family as one module; the driver keeps the machine code for later processes.</summary>
    /// <param name="threads">How many.</param>
    /// <returns>How many there are.</returns>
    public int Warm(ParallelOptions threads)
    {
        ModuleCache.Default.Warm(context.Architecture, threads);
        int kernels = 0;
        try
        {
            Parallel.ForEach(KernelFamilies.Types, threads, family =>
            {
                foreach (KernelVariant variant in KernelFamilies.Variants(family))
                {
                    _ = Load(variant.Kernel);
                    Interlocked.Increment(ref kernels);
                }
            });
        }
        catch (AggregateException e)
        {
            throw e.InnerExceptions[0];
        }
        return kernels;
    }

    private protected override void Start(KernelMethod kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments)
    {
        CudaFunction function = Load(kernel);
        using CudaContext.Binding binding = context.Bind();
        CheckShared(kernel, shape);
        if (shape.SharedBytes > FreeSharedBytes) function.AllowShared(shape.SharedBytes);
        long* values = stackalloc long[2 * arguments.Length];
        nint* pointers = stackalloc nint[arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i].Write(values + 2 * i);
            pointers[i] = (nint)(values + 2 * i);
        }
        int code = CudaApi.cuLaunchKernel(
            function.Handle, (uint)shape.Groups, 1, 1, (uint)shape.GroupSize, 1, 1, (uint)shape.SharedBytes, 0, pointers, null);
        if (code != 0) throw CudaErrors.Of(code, $"launching {kernel.Name} on {shape.Groups} groups of {shape.GroupSize}");
        if (!CudaErrors.IsBlocking) return;
        code = CudaApi.cuStreamSynchronize(0);
        if (code != 0) throw CudaErrors.Of(code, $"kernel {kernel.Name} on {shape.Groups} groups of {shape.GroupSize}", own: true);
    }
}

/// <summary>Times work on a CUDA device's stream 0 by events: what the device took, not what queueing took.</summary>
public sealed class CudaTimer : IDisposable
{
    private readonly CudaContext context;
    private readonly nint start;
    private readonly nint end;

    /// <exception cref="KernelException">No driver, or no such device.</exception>
    public CudaTimer(int ordinal)
    {
        context = CudaContext.Of(ordinal);
        using CudaContext.Binding binding = context.Bind();
        CudaErrors.Check(CudaApi.cuEventCreate(out start, 0), "making an event");
        CudaErrors.Check(CudaApi.cuEventCreate(out end, 0), "making an event");
    }

    public void Start()
    {
        using CudaContext.Binding binding = context.Bind();
        CudaErrors.Check(CudaApi.cuEventRecord(start, 0), "recording an event");
    }

    /// <summary>Waits for the work queued since <see cref="Start"/>, and says how long it took.</summary>
    public TimeSpan Stop()
    {
        using CudaContext.Binding binding = context.Bind();
        CudaErrors.Check(CudaApi.cuEventRecord(end, 0), "recording an event");
        CudaErrors.Check(CudaApi.cuEventSynchronize(end), "waiting for an event");
        CudaErrors.Check(CudaApi.cuEventElapsedTime(out float milliseconds, start, end), "asking an event for its time");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    public void Dispose()
    {
        _ = CudaApi.cuEventDestroy(start);
        _ = CudaApi.cuEventDestroy(end);
    }
}
