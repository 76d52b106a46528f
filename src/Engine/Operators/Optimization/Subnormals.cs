using System.Numerics;
using ChemScale.Engine.Native;
using ChemScale.Kernels.Maths;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Optimization;

/// <summary>
/// Sets numbers below the normal range to zero, in place. Sums that decay by a factor a step, as the moments of a weight that has got no
/// gradient for a thousand steps, would stay there for thousands of steps more.
/// </summary>
internal static unsafe class Subnormals
{
    private const int Chunk = 1 << 16;

    /// <param name="tensors">float32 or float64, of any strides, anywhere; written</param>
    public static void Clear(IReadOnlyList<Tensor> tensors)
    {
        foreach (Tensor t in tensors)
        {
            if (t.device.type != TorchSharp.DeviceType.CPU || !t.is_contiguous()) ByLibrary(t);
            else if (t.dtype == ScalarType.Float32) InMemory<uint>(t, 0x7FFFFFFF, 0x00800000);
            else InMemory<ulong>(t, 0x7FFFFFFFFFFFFFFF, 0x0010000000000000);
        }
    }

    private static void ByLibrary(Tensor tensor)
    {
        double least = tensor.dtype == ScalarType.Float32 ? F32.LeastNormal : F64.LeastNormal;
        using Tensor size = tensor.abs(), small = size.lt(least);
        tensor.masked_fill_(small, 0);
    }

    /// <param name="tensor">On the CPU, contiguous</param>
    /// <param name="magnitude">The bits of a number's absolute value.</param>
    /// <param name="least">Those of the least normal one: absolute values are ordered as their bits are.</param>
    private static void InMemory<TBits>(Tensor tensor, TBits magnitude, TBits least)
        where TBits : unmanaged, IBinaryInteger<TBits>
    {
        using var memory = new TensorMemory(tensor);
        nint address = memory.Address;
        long count = tensor.numel();
        TorchThreads.For((int)((count + Chunk - 1) / Chunk), chunk =>
        {
            long start = (long)chunk * Chunk;
            Clear((TBits*)address + start, (int)Math.Min(Chunk, count - start), magnitude, least);
        });
    }

    private static void Clear<TBits>(TBits* numbers, int count, TBits magnitude, TBits least)
        where TBits : unmanaged, IBinaryInteger<TBits>
    {
        Vector<TBits> magnitudes = new(magnitude), leasts = new(least);
        int i = 0;
        for (; i + Vector<TBits>.Count <= count; i += Vector<TBits>.Count)
        {
            Vector<TBits> x = Vector.Load(numbers + i), kept = Vector.AndNot(x, Vector.LessThan(x & magnitudes, leasts));
            // Nearly all are normal, or zero already: then there is nothing to write.
            if (kept != x) Vector.Store(kept, numbers + i);
        }
        for (; i < count; i++)
            if ((numbers[i] & magnitude) < least) numbers[i] = TBits.Zero;
    }
}
