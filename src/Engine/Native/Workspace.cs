using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ChemScale.Engine.Native;

/// <summary>
/// Memory for the temporaries of a host pass: pieces at 64-byte bounds of one block, which the next pass takes over. As many blocks live as
/// were ever in use at once, until the process ends.
/// </summary>
internal sealed unsafe class Workspace : IDisposable
{
    private const nuint Line = 64;

    // By age: whoever asks gets the block that was last given back, which its core may still have in its cache.
    private static readonly ConcurrentStack<Workspace> Free = [];

    private byte* block;
    private nuint capacity;
    private nuint used;

    private Workspace()
    {
    }

    /// <summary>Room for <paramref name="bytes"/> in all; every piece of it may take up to 64 more than it asks for.</summary>
    public static Workspace Rent(nuint bytes)
    {
        if (!Free.TryPop(out Workspace? workspace)) workspace = new Workspace();
        if (workspace.capacity < bytes)
        {
            NativeMemory.AlignedFree(workspace.block);
            workspace.block = null;
            workspace.capacity = 0;
            workspace.block = (byte*)NativeMemory.AlignedAlloc(bytes, Line);
            workspace.capacity = bytes;
        }
        workspace.used = 0;
        return workspace;
    }

    /// <summary>Bytes that a piece of so many elements takes of a block.</summary>
    public static nuint Size<T>(long count)
        where T : unmanaged => ((nuint)count * (nuint)sizeof(T) + Line - 1) / Line * Line;

    /// <summary>The next piece; undefined content.</summary>
    public T* Take<T>(long count)
        where T : unmanaged
    {
        nuint size = Size<T>(count);
        if (size > capacity - used) throw new InvalidOperationException($"a workspace of {capacity} bytes was asked for {used + size}");
        T* piece = (T*)(block + used);
        used += size;
        return piece;
    }

    /// <summary>The next piece is the first one again.</summary>
    public void Restart() => used = 0;

    public void Dispose() => Free.Push(this);
}
