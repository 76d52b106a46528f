using System.IO.MemoryMappedFiles;

namespace ChemScale.Engine.Stores;

/// <summary>A file of little-endian numbers, mapped into memory and read in place.</summary>
internal sealed unsafe class MappedArray<T> : IDisposable
    where T : unmanaged
{
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private byte* start;

    public MappedArray(string path, long count)
    {
        Count = count;
        // An empty file cannot be mapped.
        if (count == 0) return;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        view = file.CreateViewAccessor(0, count * sizeof(T), MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    public long Count { get; }

    public T this[long index] => Slice(index, 1)[0];

    public ReadOnlySpan<T> Slice(long start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Count - length);
        if (length == 0) return default;
        ObjectDisposedException.ThrowIf(this.start == null, this);
        // Dispose alone unmaps it: the pointer counts as a user of the view's handle, whose finalizer then leaves the memory as it is.
        var slice = new ReadOnlySpan<T>((T*)this.start + start, length);
        GC.KeepAlive(this);
        return slice;
    }

    public void Dispose()
    {
        if (start == null) return;
        start = null;
        view!.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file!.Dispose();
    }
}
