using System.Buffers;
using ChemScale.Engine.Training.Storage;

namespace ChemScale.Engine.Training.Runs;

/// <summary>A file that grows: writes gather in memory and reach the file at <see cref="Flush"/>.</summary>
internal sealed class AppendLog : IDisposable
{
    private readonly IStorage storage;
    private readonly Stream stream;
    private readonly ArrayBufferWriter<byte> pending = new();

    /// <param name="storage">Where the file is opened.</param>
    /// <param name="path">The file.</param>
    /// <param name="length">What is kept of it; everything behind is cut off.</param>
    public AppendLog(IStorage storage, string path, long length)
    {
        this.storage = storage;
        stream = storage.Append(path, length);
        Length = length;
    }

    /// <summary>Bytes in the file, pending ones not counted.</summary>
    public long Length { get; private set; }

    public IBufferWriter<byte> Buffer => pending;

    public bool IsEmpty => Length == 0 && pending.WrittenCount == 0;

    public void Flush()
    {
        if (pending.WrittenCount == 0) return;
        stream.Write(pending.WrittenSpan);
        Length += pending.WrittenCount;
        pending.ResetWrittenCount();
    }

    public void Sync() => storage.Sync(stream);

    public void Dispose() => stream.Dispose();
}
