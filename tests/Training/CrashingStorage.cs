using ChemScale.Engine.Training.Storage;

namespace ChemScale.Tests.Training;

/// <summary>The disk of a machine that loses power at its n-th operation: nothing works after, and what was not synced is gone.</summary>
internal sealed class CrashingStorage(int crashAt) : IStorage
{
    private readonly DiskStorage disk = new();
    private readonly Dictionary<string, long> synced = [];
    private readonly Dictionary<Stream, string> paths = [];

    public int Operations { get; private set; }

    public bool Crashed { get; private set; }

    /// <summary>Call once the crashed session has unwound.</summary>
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
        Count();
        disk.CreateDirectory(path);
    }

    public bool TryCreateNew(string path, ReadOnlySpan<byte> content)
    {
        Count();
        return disk.TryCreateNew(path, content);
    }

    public Stream Create(string path) => Track(path, 0, p => disk.Create(p));

    public Stream Append(string path, long length) => Track(path, length, p => disk.Append(p, length));

    public void Sync(Stream stream)
    {
        Count();
        var counting = (CountingStream)stream;
        disk.Sync(counting.Inner);
        synced[paths[counting]] = counting.Inner.Length;
    }

    public void SyncDirectory(string path)
    {
        Count();
        disk.SyncDirectory(path);
    }

    public void ReplaceFile(string from, string to)
    {
        Count();
        disk.ReplaceFile(from, to);
        if (synced.Remove(from, out long length)) synced[to] = length;
    }

    public void MoveDirectory(string from, string to)
    {
        Count();
        disk.MoveDirectory(from, to);
        string prefix = from + Path.DirectorySeparatorChar;
        foreach (string path in synced.Keys.Where(p => p.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
        {
            synced.Remove(path, out long length);
            synced[to + path[from.Length..]] = length;
        }
    }

    public void DeleteFile(string path)
    {
        Count();
        disk.DeleteFile(path);
    }

    public void DeleteDirectory(string path)
    {
        Count();
        disk.DeleteDirectory(path);
    }

    private CountingStream Track(string path, long length, Func<string, Stream> open)
    {
        Count();
        var stream = new CountingStream(this, open(path));
        synced[path] = length;
        paths[stream] = path;
        return stream;
    }

    private void Count()
    {
        if (++Operations < crashAt) return;
        Crashed = true;
        throw new SimulatedCrash();
    }

    internal sealed class SimulatedCrash : IOException;

    private sealed class CountingStream(CrashingStorage storage, Stream inner) : Stream
    {
        public Stream Inner => inner;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            storage.Count();
            inner.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
