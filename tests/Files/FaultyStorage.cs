using ChemScale.Engine.Files;

namespace ChemScale.Tests.Files;

/// <summary>What goes wrong with a disk of a test.</summary>
public enum Fault
{
    /// <summary>The n-th operation fails, all others work: EIO.</summary>
    Once,

    /// <summary>From the n-th operation on nothing works: a disk that is gone, or full.</summary>
    Lasting,

    /// <summary>As <see cref="Lasting"/>, and the power is gone too: what was not flushed is gone.</summary>
    Crash,
}

/// <summary>The disk, until its n-th operation of certain kinds.</summary>
/// <param name="failAt">From 1; <see cref="int.MaxValue"/> only counts.</param>
/// <param name="fault">What happens then.</param>
/// <param name="kinds">Operations that count, by the name of the interface's method, and Write; empty: all.</param>
internal sealed class FaultyStorage(int failAt, Fault fault = Fault.Crash, params string[] kinds) : IStorage
{
    /// <summary>errno of an error of the medium.</summary>
    public const int InputOutputError = 5;

    private readonly DiskStorage disk = DiskStorage.Shared;
    private readonly Dictionary<string, long> synced = [];
    private readonly Lock access = new();
    private int operations;

    public int Operations => operations;

    /// <summary>Whether the n-th operation was reached.</summary>
    public bool Failed { get; private set; }

    /// <summary>What it was.</summary>
    public string FailedOperation { get; private set; } = "";

    /// <summary>Directories that got their names.</summary>
    public List<string> Named { get; } = [];

    /// <summary>errno of the failure.</summary>
    public int Error { get; init; } = InputOutputError;

    /// <summary>Call once the crashed session has unwound: every file is cut to what was synced of it.</summary>
    public void LoseUnsynced()
    {
        foreach ((string path, long length) in synced)
        {
            if (!File.Exists(path)) continue;
            using FileStream file = File.OpenWrite(path);
            if (file.Length > length) file.SetLength(length);
        }
    }

    public void CreateDirectory(string path)
    {
        Count(nameof(CreateDirectory), path);
        disk.CreateDirectory(path);
    }

    public Stream Create(string path)
    {
        Count(nameof(Create), path);
        return Track(path, 0, disk.Create(path));
    }

    public Stream Append(string path, long length)
    {
        Count(nameof(Append), path);
        return Track(path, length, disk.Append(path, length));
    }

    public Stream? TryLock(string path)
    {
        Count(nameof(TryLock), path);
        return disk.TryLock(path);
    }

    public void Sync(Stream stream)
    {
        var counted = (CountedStream)stream;
        Count(nameof(Sync), counted.Path);
        disk.Sync(counted.Inner);
        lock (access) synced[counted.Path] = counted.Inner.Length;
    }

    public void SyncDirectory(string path)
    {
        Count(nameof(SyncDirectory), path);
        disk.SyncDirectory(path);
    }

    public void ReplaceFile(string from, string to)
    {
        Count(nameof(ReplaceFile), to);
        disk.ReplaceFile(from, to);
        Renamed(from, to);
    }

    public bool TryMoveFile(string from, string to)
    {
        Count(nameof(TryMoveFile), to);
        if (!disk.TryMoveFile(from, to)) return false;
        Renamed(from, to);
        return true;
    }

    public void MoveDirectory(string from, string to)
    {
        Count(nameof(MoveDirectory), to);
        disk.MoveDirectory(from, to);
        Named.Add(Path.GetFileName(to));
        string prefix = from + Path.DirectorySeparatorChar;
        lock (access)
            foreach (string path in synced.Keys.Where(p => p.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
            {
                synced.Remove(path, out long length);
                synced[to + path[from.Length..]] = length;
            }
    }

    public void DeleteFile(string path)
    {
        Count(nameof(DeleteFile), path);
        disk.DeleteFile(path);
    }

    public void DeleteDirectory(string path)
    {
        Count(nameof(DeleteDirectory), path);
        disk.DeleteDirectory(path);
    }

    private void Renamed(string from, string to)
    {
        lock (access)
            if (synced.Remove(from, out long length)) synced[to] = length;
    }

    private CountedStream Track(string path, long length, Stream stream)
    {
        lock (access) synced[path] = length;
        return new CountedStream(this, path, stream);
    }

    private void Count(string kind, string path)
    {
        if (kinds.Length > 0 && !kinds.Contains(kind)) return;
        int n = Interlocked.Increment(ref operations);
        if (fault == Fault.Once ? n != failAt : n < failAt) return;
        if (!Failed) FailedOperation = $"operation {n}, {kind} of {Path.GetFileName(path)}";
        Failed = true;
        throw new InjectedFault($"{path}: {kind} failed", Error);
    }

    internal sealed class InjectedFault(string message, int error) : IOException(message, error);

    private sealed class CountedStream(FaultyStorage storage, string path, Stream inner) : Stream
    {
        public Stream Inner => inner;

        public string Path => path;

        public override bool CanRead => inner.CanRead;

        public override bool CanSeek => inner.CanSeek;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            storage.Count(nameof(Write), path);
            inner.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void SetLength(long value) => inner.SetLength(value);

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
