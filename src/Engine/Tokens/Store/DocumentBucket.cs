using System.Runtime.InteropServices;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// Documents whose keys share their top bits, in order of arrival, spilled to a file beyond a fixed amount of memory. A record is its
/// key (8 bytes), its length (4) and its ids (2 each).
/// </summary>
internal sealed class DocumentBucket(Func<Stream> spill) : IDisposable
{
    private const int FirstBytes = 1 << 10;
    private const int MostBytes = 1 << 16;
    private const int HeaderBytes = sizeof(ulong) + sizeof(int);

    private byte[] _buffer = [];
    private int _used;
    private Stream? _spilled;

    public void Add(ulong key, ReadOnlySpan<ushort> ids)
    {
        int bytes = HeaderBytes + ids.Length * sizeof(ushort);
        if (_used + bytes > _buffer.Length) MakeRoom(bytes);
        Span<byte> record = _buffer.AsSpan(_used, bytes);
        MemoryMarshal.Write(record, key);
        MemoryMarshal.Write(record[sizeof(ulong)..], ids.Length);
        MemoryMarshal.AsBytes(ids).CopyTo(record[HeaderBytes..]);
        _used += bytes;
    }

    /// <summary>All records, back in memory; the bucket is empty afterwards.</summary>
    public DocumentBlock Take()
    {
        long spilled = _spilled?.Length ?? 0;
        byte[] all = new byte[checked((int)(spilled + _used))];
        if (_spilled is not null)
        {
            _spilled.Position = 0;
            _spilled.ReadExactly(all, 0, (int)spilled);
        }
        _buffer.AsSpan(0, _used).CopyTo(all.AsSpan((int)spilled));
        Dispose();
        return DocumentBlock.Read(all, HeaderBytes);
    }

    public void Dispose()
    {
        _spilled?.Dispose();
        _spilled = null;
        _buffer = [];
        _used = 0;
    }

    private void MakeRoom(int bytes)
    {
        if (_used + bytes > MostBytes && _used > 0)
        {
            _spilled ??= spill();
            _spilled.Write(_buffer, 0, _used);
            _used = 0;
        }
        int needed = _used + bytes;
        if (needed > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(needed, Math.Min(MostBytes, Math.Max(FirstBytes, _buffer.Length * 2))));
        }
    }
}
