using System.Runtime.InteropServices;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>Documents in memory, put in the order of their keys.</summary>
internal sealed class DocumentBlock
{
    private readonly byte[] _records;
    private readonly ulong[] _keys;
    private readonly int[] _starts;
    private readonly int _headerBytes;

    private DocumentBlock(byte[] records, ulong[] keys, int[] starts, int headerBytes)
    {
        _records = records;
        _keys = keys;
        _starts = starts;
        _headerBytes = headerBytes;
    }

    public int Count => _keys.Length;

    public static DocumentBlock Read(byte[] records, int headerBytes)
    {
        List<ulong> keys = [];
        List<int> starts = [];
        for (int at = 0; at < records.Length;)
        {
            keys.Add(MemoryMarshal.Read<ulong>(records.AsSpan(at)));
            starts.Add(at);
            at += headerBytes + MemoryMarshal.Read<int>(records.AsSpan(at + sizeof(ulong))) * sizeof(ushort);
        }
        return new DocumentBlock(records, [.. keys], [.. starts], headerBytes);
    }

    public ulong Key(int index) => _keys[index];

    public Span<ushort> Ids(int index)
    {
        int start = _starts[index];
        int length = MemoryMarshal.Read<int>(_records.AsSpan(start + sizeof(ulong)));
        return MemoryMarshal.Cast<byte, ushort>(_records.AsSpan(start + _headerBytes, length * sizeof(ushort)));
    }

    /// <summary>Gives every id its final number.</summary>
    public void Renumber(ReadOnlySpan<ushort> final)
    {
        for (int i = 0; i < Count; i++)
            foreach (ref ushort id in Ids(i)) id = final[id];
    }

    /// <summary>By key; the few that share one by their ids, so that the order never depends on the order of arrival.</summary>
    public void Sort()
    {
        Array.Sort(_keys, _starts);
        for (int first = 0, end; first < Count; first = end)
        {
            for (end = first + 1; end < Count && _keys[end] == _keys[first];) end++;
            if (end - first > 1) SortEqualKeys(first, end);
        }
    }

    public bool SameAsPrevious(int index) => index > 0 && _keys[index] == _keys[index - 1] && Ids(index).SequenceEqual(Ids(index - 1));

    private void SortEqualKeys(int first, int end)
    {
        int[] run = _starts[first..end];
        int[] order = [.. Enumerable.Range(first, end - first)];
        Array.Sort(order, (a, b) => Ids(a).SequenceCompareTo(Ids(b)));
        for (int i = first; i < end; i++) _starts[i] = run[order[i - first] - first];
    }
}

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
