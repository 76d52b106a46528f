using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace ChemScale.Kernels.Device;

/// <summary>One argument of a launch: an array, or a number. Both must have the very type of the kernel's parameter.</summary>
public readonly unsafe struct KernelArgument
{
    /// <summary>Strided loops must be able to step beyond the last element: every device has fewer threads than are left out here.</summary>
    private const long MostElements = int.MaxValue - (1 << 20);

    private readonly long first;
    private readonly long second;
    private readonly Form form;
    private readonly object? owner;

    private KernelArgument(long first, long second, Form form, object? owner = null)
    {
        this.owner = owner;
        this.first = first;
        this.second = second;
        this.form = form;
    }

    /// <summary>What the kernel's parameter must be.</summary>
    internal Type Type => form.Type;

    /// <summary>Of an array; 0: a number.</summary>
    internal int ElementBytes => form.ElementBytes;

    /// <exception cref="KernelException">More elements than a kernel's 32-bit indices reach.</exception>
    public static KernelArgument Of<T>(DeviceArray<T> array)
        where T : unmanaged
    {
        return array.Length is >= 0 and <= MostElements
            ? new KernelArgument(array.Address, array.Length, Forms<T>.View, array.Owner)
            : throw new KernelException(KernelFault.BadArgument,
                $"an array of {array.Length:N0} {typeof(T).Name}: kernels index at most {MostElements:N0}. HINT: use a smaller batch");
    }

    /// <summary>
    /// All memory as an array, whose element i lies at address i times its size: for kernels that find their arrays by address. Unlike
    /// pointers made from addresses, it has an alignment, and so vector loads and stores.
    /// </summary>
    internal static KernelArgument Memory<T>()
        where T : unmanaged => new(0, long.MaxValue / sizeof(T), Forms<T>.View);

    /// <param name="number">int, long, float or double</param>
    public static KernelArgument Of<T>(T number)
        where T : unmanaged
    {
        long bits = 0;
        *(T*)&bits = number;
        return new KernelArgument(bits, 0, Forms<T>.Number);
    }

    public static implicit operator KernelArgument(int number) => Of(number);

    public static implicit operator KernelArgument(float number) => Of(number);

    public static implicit operator KernelArgument(double number) => Of(number);

    /// <summary>As PTX takes it: an array is its address and its length, 8 bytes each; a number sits in the first bytes.</summary>
    internal void Write(long* sixteenBytes)
    {
        sixteenBytes[0] = first;
        sixteenBytes[1] = second;
    }

    /// <summary>As ILGPU's CPU accelerator takes it. What it makes for that is added to the buffers: dispose them after.</summary>
    internal object Box(Accelerator accelerator, ICollection<MemoryBuffer> buffers) => form.Box(this, accelerator, buffers);

    /// <summary>Whose memory it is lives at least until here.</summary>
    internal void KeepOwner() => GC.KeepAlive(owner);

    private delegate object Boxer(KernelArgument argument, Accelerator accelerator, ICollection<MemoryBuffer> buffers);

    private sealed record Form(Type Type, int ElementBytes, Boxer Box);

    private static class Forms<T>
        where T : unmanaged
    {
        public static readonly Form View = new(typeof(ArrayView<T>), sizeof(T), (argument, accelerator, buffers) =>
        {
            if (argument.second == 0) return ArrayView<T>.Empty;
            CPUMemoryBuffer buffer = CPUMemoryBuffer.Create(accelerator, (nint)argument.first, argument.second, sizeof(T));
            buffers.Add(buffer);
            return buffer.AsArrayView<T>(0, argument.second);
        });

        public static readonly Form Number = new(typeof(T), 0, (argument, _, _) =>
        {
            long bits = argument.first;
            return *(T*)&bits;
        });
    }
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
