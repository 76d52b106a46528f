using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace ChemScale.Kernels.Device;

/// <summary>One argument of a launch: an array, or a number. Numbers must have the very type of the kernel's parameter.</summary>
public readonly unsafe struct KernelArgument
{
    private readonly long first;
    private readonly long second;
    private readonly Boxer box;

    private KernelArgument(long first, long second, Boxer box)
    {
        this.first = first;
        this.second = second;
        this.box = box;
    }

    /// <exception cref="KernelException">More elements than a kernel's 32-bit indices reach.</exception>
    public static KernelArgument Of<T>(DeviceArray<T> array)
        where T : unmanaged
    {
        return array.Length is >= 0 and <= int.MaxValue
            ? new KernelArgument(array.Address, array.Length, Boxes<T>.View)
            : throw new KernelException(KernelFault.BadArgument,
                $"an array of {array.Length:N0} {typeof(T).Name}: kernels index at most {int.MaxValue:N0}. HINT: use a smaller batch");
    }

    /// <param name="number">int, long, float or double</param>
    public static KernelArgument Of<T>(T number)
        where T : unmanaged
    {
        long bits = 0;
        *(T*)&bits = number;
        return new KernelArgument(bits, 0, Boxes<T>.Number);
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
    internal object Box(Accelerator accelerator, ICollection<MemoryBuffer> buffers) => box(this, accelerator, buffers);

    private delegate object Boxer(KernelArgument argument, Accelerator accelerator, ICollection<MemoryBuffer> buffers);

    private static class Boxes<T>
        where T : unmanaged
    {
        public static readonly Boxer View = (argument, accelerator, buffers) =>
        {
            if (argument.second == 0) return ArrayView<T>.Empty;
            CPUMemoryBuffer buffer = CPUMemoryBuffer.Create(accelerator, (nint)argument.first, argument.second, sizeof(T));
            buffers.Add(buffer);
            return buffer.AsArrayView<T>(0, argument.second);
        };

        public static readonly Boxer Number = (argument, _, _) =>
        {
            long bits = argument.first;
            return *(T*)&bits;
        };
    }
}
