using System.Buffers;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Training.Runs;

/// <summary>A file that grows: writes gather in memory and reach the file at <see cref="Flush"/>.</summary>
internal sealed class AppendLog : IDisposable
{
    private readonly IStorage storage;
    private readonly Stream stream;
    private readonly ArrayBufferWriter<byte> pending = new();
    private readonly string path;
    private readonly FileStamp? opened;

    /// <param name="storage">Where the file is opened.</param>
    /// <param name="path">The file.</param>
    /// <param name="length">What is kept of it; everything behind is cut off.</param>
    public AppendLog(IStorage storage, string path, long length)
    {
        this.storage = storage;
        this.path = path;
        stream = storage.Append(path, length);
        opened = FileStamp.Of(path);
        Length = length;
    }

    /// <summary>Bytes in the file, pending ones not counted.</summary>
    public long Length { get; private set; }

    public IBufferWriter<byte> Buffer => pending;

    /// <summary>Bytes that are not in the file yet.</summary>
    public int Pending => pending.WrittenCount;

    public bool IsEmpty => Length == 0 && pending.WrittenCount == 0;

    public void Flush()
    {
        if (pending.WrittenCount == 0) return;
        stream.Write(pending.WrittenSpan);
        Length += pending.WrittenCount;
        pending.ResetWrittenCount();
    }

    /// <summary>The file of this name is still the one that was opened, as long as it was left: an open file can be written to when it is deleted.</summary>
    /// <exception cref="RunFilesLostException">It is not.</exception>
    public void EnsureInPlace()
    {
        if (FileStamp.Of(path) is not { } now) throw new RunFilesLostException(path, "was deleted while the run was writing to it");
        if (opened is not { } before || !now.IsSameFile(before)) throw new RunFilesLostException(path, "was replaced while the run was writing to it");
        if (now.Length != Length) throw new RunFilesLostException(path, $"{now.Length} bytes where the run has written {Length}: somebody else changed it");
    }

    public void Sync() => storage.Sync(stream);

    public void Dispose() => stream.Dispose();
}
