using System.Reflection;

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

    /// <summary>Threads of a group at most: kernels are compiled for it.</summary>
    public const int LargestGroup = 256;

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
        if (shape.GroupSize > LargestGroup)
            throw new KernelException(KernelFault.BadArgument, $"kernel {kernel.Name}: groups of {shape.GroupSize:N0} threads; at most {LargestGroup}, as its text says");
        Start(kernel, shape, arguments);
        foreach (KernelArgument argument in arguments) argument.KeepOwner();
    }

    private protected abstract void Start(KernelMethod kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments);

    /// <summary>As CUDA devices cover: as many groups as fit into their multiprocessors at once.</summary>
    private protected static LaunchShape Cover(long threads, int groupSize, int multiprocessors)
    {
        // Threads a multiprocessor keeps in flight: more groups than that only queue.
        const int ThreadsInFlight = 2048;
        long groups = (threads + groupSize - 1) / groupSize;
        return new LaunchShape((int)Math.Min(groups, (long)multiprocessors * (ThreadsInFlight / groupSize)), groupSize);
    }

    /// <exception cref="KernelException">More shared memory than there is.</exception>
    private protected void CheckShared(KernelMethod kernel, LaunchShape shape)
    {
        if (shape.SharedBytes <= LargestSharedBytes) return;
        throw new KernelException(KernelFault.BadArgument,
            $"kernel {kernel.Name} asks for {shape.SharedBytes:N0} bytes of shared memory of {LargestSharedBytes:N0} that this device has. "
                + "HINT: smaller models or batches; or --operators composed");
    }

    /// <exception cref="KernelException">More groups than a grid has.</exception>
    private protected static int Groups(long groups) => groups <= int.MaxValue
        ? (int)groups
        : throw new KernelException(KernelFault.BadArgument, $"{groups:N0} groups; a grid has at most {int.MaxValue:N0}");
}

/// <summary>How many threads run a kernel. No groups: nothing to do, and nothing is launched.</summary>
/// <param name="Groups">Thread groups (CUDA: blocks).</param>
/// <param name="GroupSize">Threads of a group.</param>
/// <param name="SharedBytes">Dynamic shared memory of a group.</param>
public readonly record struct LaunchShape(int Groups, int GroupSize, int SharedBytes = 0);

/// <summary>What of a device multiplies small matrices of bfloat16.</summary>
public enum MatrixUnits
{
    None,

    /// <summary>Those of NVIDIA devices from sm_80 on.</summary>
    TensorCores,

    /// <summary>The CPU's warps play them, for tests.</summary>
    Emulated,
}

/// <summary>
/// A kernel: a static, explicitly grouped method, its type parameters filled in. Right for any group size: loops stride over the grid,
/// and reductions go through a type parameter. Make one per method and keep it: devices look up what they loaded by it.
/// </summary>
public sealed class KernelMethod
{
    private readonly Lazy<string> identity;
    private readonly ParameterInfo[] parameters;

    private KernelMethod(MethodInfo method)
    {
        Method = method;
        parameters = method.GetParameters();
        identity = new Lazy<string>(() => KernelIdentity.Of(method));
    }

    public MethodInfo Method { get; }

    /// <summary>Declaring type, method, and type arguments, as messages show it.</summary>
    public string Name
    {
        get
        {
            string arguments = Method.IsGenericMethod ? $"<{string.Join(", ", Method.GetGenericArguments().Select(Short))}>" : "";
            return $"{Method.DeclaringType!.Name}.{Method.Name}{arguments}";
        }
    }

    /// <summary>Hash of its code, of all that it calls, and of the compiler: the same in another build of the same code.</summary>
    public string Identity => identity.Value;

    /// <param name="kernel">The method, type arguments given: <c>KernelMethod.Of(RadialForward.Run&lt;float, F32&gt;)</c>.</param>
    public static KernelMethod Of(Delegate kernel) => Of(kernel.Method);

    /// <param name="kernels">Type that declares it.</param>
    /// <param name="name">Of a generic method.</param>
    /// <param name="typeArguments">Its type arguments, chosen at run time.</param>
    public static KernelMethod Of(Type kernels, string name, params Type[] typeArguments)
    {
        MethodInfo method = kernels.GetMethod(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        return Of(method.MakeGenericMethod(typeArguments));
    }

    public override string ToString() => Name;

    /// <summary>Whether an argument is an array whose every number is this kernel's to write: <see cref="WrittenAttribute"/>.</summary>
    internal bool IsWritten(int argument) => parameters[argument].IsDefined(typeof(WrittenAttribute));

    /// <exception cref="KernelException">Too few or too many, or one of another type than its parameter: a device would not notice.</exception>
    internal void Check(ReadOnlySpan<KernelArgument> arguments)
    {
        if (arguments.Length != parameters.Length)
            throw new KernelException(KernelFault.BadArgument, $"kernel {Name} takes {parameters.Length} arguments, not {arguments.Length}");
        for (int i = 0; i < parameters.Length; i++)
        {
            if (arguments[i].Type == parameters[i].ParameterType) continue;
            throw new KernelException(KernelFault.BadArgument,
                $"kernel {Name} takes {Short(parameters[i].ParameterType)} for {parameters[i].Name}, not {Short(arguments[i].Type)}");
        }
    }

    private static KernelMethod Of(MethodInfo method) =>
        method.IsStatic && !method.ContainsGenericParameters
            ? new KernelMethod(method)
            : throw new KernelException(KernelFault.BadKernel, $"{method.Name} is not a static method with its type arguments filled in");

    private static string Short(Type type) =>
        type.IsGenericType
            ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Short))}>"
            : type.Name;
}
