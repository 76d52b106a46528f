using System.Runtime.InteropServices;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>One growing block of native memory per thread, for a host path's temporaries.</summary>
internal static unsafe class Scratch
{
    [ThreadStatic]
    private static byte* block;

    [ThreadStatic]
    private static nuint capacity;

    /// <summary>At least this many bytes, 64-byte aligned, undefined content, valid until the thread's next call.</summary>
    public static byte* Rent(nuint bytes)
    {
        if (bytes > capacity)
        {
            NativeMemory.AlignedFree(block);
            capacity = Math.Max(bytes, 2 * capacity);
            block = (byte*)NativeMemory.AlignedAlloc(capacity, 64);
        }
        return block;
    }
}
