using ChemScale.Kernels.Device;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Runs;

/// <summary>
/// What one run has to itself, however many share the process: the form of its operations, where kernels run, its random numbers, and the
/// failures of its backward passes. Entered, it is <see cref="Current"/> for everything called from there, on threads and tasks begun there
/// too; a node of a graph keeps the one it was made in, for its backward pass on whichever thread.
/// </summary>
public sealed class RunScope : IDisposable
{
    private static readonly AsyncLocal<RunScope?> Entered = new();
    private static readonly LiveNodes Everybody = new();

    private readonly Lazy<Generator> random;
    private readonly long seed;
    private Generator? deviceRandom;

    /// <summary>A scope that has kernels run where the present one has.</summary>
    /// <param name="mode">The form of its operations.</param>
    /// <param name="seed">Of its random numbers.</param>
    public RunScope(OperatorMode mode = OperatorMode.Auto, long seed = 42)
    {
        Mode = mode;
        this.seed = seed;
        random = new Lazy<Generator>(() => new Generator((ulong)seed));
        if (Entered.Value is { } outer) (CpuKernels, ScratchValues, Nodes) = (outer.CpuKernels, outer.ScratchValues, outer.Nodes);
    }

    /// <summary>Of whoever entered none: mode auto, seed 42.</summary>
    public static RunScope Default { get; } = new();

    public static RunScope Current => Entered.Value ?? Default;

    public OperatorMode Mode { get; }

    /// <summary>
    /// The run's random numbers on the CPU. The trainer seeds them, saves them with its checkpoints and restores them; torch's default
    /// generator is everybody's and nobody restores it.
    /// </summary>
    public Generator Random => random.Value;

    /// <summary>Where the CPU's tensors have kernels run; asked for each launch. Tests put full warps here.</summary>
    internal Func<KernelDevice> CpuKernels { get; init; } = static () => CpuDevice.Scalar;

    /// <summary>Values of scratch that kernels in need of it take at a time: 16 MB of float32 stay in a device's second-level cache.</summary>
    internal int ScratchValues { get; init; } = 1 << 22;

    /// <summary>Nodes of graphs made in this scope and in those begun within it: one count, unless a scope is given its own.</summary>
    internal LiveNodes Nodes { get; init; } = Everybody;

    /// <summary>The run's random numbers on a device: on the CPU <see cref="Random"/>; elsewhere seeded anew for each training step.</summary>
    public Generator RandomOn(Device device) => device.type == DeviceType.CPU ? Random : deviceRandom ??= new Generator((ulong)seed, device);

    /// <summary>
    /// Where gradients by parameters lie together: a trainer says so while its backward pass runs. A pass that puts one there returns none, and
    /// nothing is copied.
    /// </summary>
    internal IGradientPlaces? GradientPlaces { get; set; }

    /// <summary>
    /// Parameters whose gradients a trainer's next backward pass takes in their places: said while it computes the loss. A function that puts them
    /// there needs no edge of the graph to each, and a step of a small model spends a tenth of its time on such edges.
    /// </summary>
    internal IGradientPlaces? Trained { get; set; }

    /// <returns>Where to put the gradient by this input of a pass; nowhere: return it as a tensor.</returns>
    internal GradientPlace PlaceOf(Tensor input) => GradientPlaces?.Take(input) ?? default;

    /// <summary>Makes it the current one until the entry is disposed of.</summary>
    public Entry Enter() => new(this);

    public void Dispose()
    {
        if (random.IsValueCreated) random.Value.Dispose();
        deviceRandom?.Dispose();
    }

    /// <summary>The state of a CUDA generator cannot be read here; seeding each step anew makes it one that need not be.</summary>
    internal void BeginStep(long step) => deviceRandom?.manual_seed(StepSeed(step));

    private long StepSeed(long step) => unchecked(seed * 1_000_003 + step);

    /// <summary>The time that a scope is current.</summary>
    public readonly struct Entry : IDisposable
    {
        private readonly RunScope? before;
        private readonly bool changed;

        internal Entry(RunScope scope)
        {
            before = Entered.Value;
            changed = !ReferenceEquals(before ?? Default, scope);
            if (changed) Entered.Value = scope;
        }

        public void Dispose()
        {
            if (changed) Entered.Value = before;
        }
    }
}

/// <summary>How many nodes of graphs are alive.</summary>
internal sealed class LiveNodes
{
    private int count;

    public int Count => Volatile.Read(ref count);

    public void Add(int change) => Interlocked.Add(ref count, change);
}

/// <summary>Gradients that lie together.</summary>
internal interface IGradientPlaces
{
    /// <returns>The place of the gradient by this tensor, which is written or added to; nowhere if the tensor is no parameter of these.</returns>
    GradientPlace Take(Tensor tensor);

    /// <summary>Whether this very object is one of the parameters, on the CPU, and where its numbers lie, contiguous. Asks nothing of libtorch.</summary>
    bool Holds(Tensor tensor, out nint address);
}

/// <summary>Where a gradient lies among others.</summary>
/// <param name="All">(numbers), contiguous; null: nowhere.</param>
/// <param name="Offset">Of its first number.</param>
/// <param name="Add">Whether one is there already, to be added to.</param>
internal readonly record struct GradientPlace(Tensor? All, long Offset, bool Add);
