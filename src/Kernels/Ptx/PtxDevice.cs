using System.Collections.Concurrent;
using System.Reflection;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>
/// A CUDA device that is none: kernels are compiled for it as for an H200, launched in its shapes, and their PTX is interpreted on memory of the CPU.
/// Groups run one after the other, or some at a time; warps in step. For tests: what a device would do wrong, it does wrong here, or says so.
/// </summary>
internal sealed unsafe class PtxDevice : KernelDevice
{
    private const string Architecture = "sm_90";

    private static readonly ConcurrentDictionary<MethodInfo, Lazy<PtxModule>> Modules = new();

    // Taking a long kernel's text apart takes as long as some launches of it.
    private static readonly ConcurrentDictionary<(MethodInfo Method, PtxRounding Rounding), Lazy<PtxProgram>> Programs = new();

    [ThreadStatic]
    private static byte[]? scratch;

    private readonly ConcurrentDictionary<PtxProgram, PtxCounts> counts = new();
    private long instructions;

    /// <summary>Of an H200.</summary>
    public int Multiprocessors { get; init; } = 132;

    /// <summary>
    /// Races of a group's threads and of a launch, reads of memory that nobody wrote, branches whose lanes differ from what they say. Without:
    /// addresses, divisors and missing lanes only.
    /// </summary>
    public bool Checks { get; init; } = true;

    public PtxRounding Rounding { get; init; }

    /// <summary>Instead: what each instruction did, for <see cref="TakeCounts"/>.</summary>
    public bool Counts { get; init; }

    /// <summary>Groups at a time, where <see cref="Checks"/> and <see cref="Counts"/> are off.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Warp-instructions so far.</summary>
    public long Instructions => Interlocked.Read(ref instructions);

    public override int WarpSize => PtxLanes.Count;

    public override MatrixUnits MatrixUnits => MatrixUnits.TensorCores;

    public override int LargestSharedBytes => 227 << 10;

    public override LaunchShape Cover(long threads, int groupSize = 256) => Cover(threads, groupSize, Multiprocessors);

    public override LaunchShape GroupPer(long items, int groupSize, int sharedBytes = 0) => new(Groups(items), groupSize, sharedBytes);

    /// <summary>A kernel's module, compiled once a process; its program, decoded once for each rounding.</summary>
    public static PtxModule Module(KernelMethod kernel) =>
        Modules.GetOrAdd(kernel.Method, _ => new Lazy<PtxModule>(() => KernelCompiler.Compile(kernel, Architecture))).Value;

    /// <summary>What was counted since the last call, a kernel each, by name.</summary>
    public IReadOnlyList<PtxCounts> TakeCounts()
    {
        PtxCounts[] taken = [.. counts.Values.OrderBy(c => c.Program.Name, StringComparer.Ordinal)];
        counts.Clear();
        return taken;
    }

    /// <summary>Runs PTX that need not come from a kernel.</summary>
    /// <exception cref="KernelException">It does what it must not.</exception>
    public void Run(PtxProgram program, LaunchShape shape, params ReadOnlySpan<KernelArgument> arguments)
    {
        var words = new long[2 * arguments.Length];
        fixed (long* at = words)
            for (int i = 0; i < arguments.Length; i++) arguments[i].Write(at + 2 * i);
        var memory = new PtxMemory(arguments, words);
        if (Counts) Run<Counted>(program, shape, memory, words);
        else if (Checks) Run<Checked>(program, shape, memory, words);
        else Run<Unchecked>(program, shape, memory, words);
    }

    private protected override void Start(KernelMethod kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments)
    {
        KernelFamilies.Check(kernel);
        CheckShared(kernel, shape);
        PtxProgram program = Programs.GetOrAdd((kernel.Method, Rounding),
            key => new Lazy<PtxProgram>(() => new PtxProgram(kernel.Name, Module(kernel).Text, key.Rounding))).Value;
        if (Checks && !Counts)
        {
            long* word = stackalloc long[2];
            for (int i = 0; i < arguments.Length; i++)
            {
                if (!kernel.IsWritten(i)) continue;
                arguments[i].Write(word);
                PtxPoison.Fill((nint)word[0], word[1] * arguments[i].ElementBytes);
            }
        }
        Run(program, shape, arguments);
    }

    private void Run<TChecks>(PtxProgram program, LaunchShape shape, PtxMemory memory, long[] words)
        where TChecks : struct, IPtxChecks
    {
        var races = new PtxRaces();
        if (TChecks.On && memory.IsWatched) races.Reset(memory.Words);
        PtxCounts? counted = TChecks.Counts ? counts.GetOrAdd(program, static p => new PtxCounts(p)) : null;
        counted?.Begin(shape, memory);
        int workers = TChecks.On || TChecks.Counts ? 1 : Math.Min(Workers, shape.Groups);
        if (workers == 1)
        {
            Work(0);
            counted?.End();
            return;
        }
        try
        {
            Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, Work);
        }
        catch (AggregateException e)
        {
            throw e.InnerExceptions[0];
        }

        void Work(int worker)
        {
            long bytes = PtxGroup<TChecks>.ScratchBytes(program, shape) + 128;
            if (scratch is null || scratch.Length < bytes) scratch = GC.AllocateUninitializedArray<byte>(checked((int)bytes));
            fixed (byte* at = scratch)
            {
                var group = new PtxGroup<TChecks>(program, shape, memory, words, races, counted, (byte*)(((nint)at + 127) & ~127));
                for (int g = worker; g < shape.Groups; g += workers) group.Run(g);
                Interlocked.Add(ref instructions, group.Issued);
            }
        }
    }
}
