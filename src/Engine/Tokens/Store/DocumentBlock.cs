using System.Runtime.InteropServices;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>Documents in memory, put in the order of their keys.</summary>
internal sealed class DocumentBlock
{
    private readonly byte[] records;
    private readonly ulong[] keys;
    private readonly int[] starts;
    private readonly int headerBytes;

    private DocumentBlock(byte[] records, ulong[] keys, int[] starts, int headerBytes)
    {
        this.records = records;
        this.keys = keys;
        this.starts = starts;
        this.headerBytes = headerBytes;
    }

    public int Count => keys.Length;

    public static DocumentBlock Read(byte[] records, int headerBytes)
    {
        List<ulong> keys = [];
        List<int> starts = [];
        for (int at = 0; at < records.Length;)
        {
            keys.Add(MemoryMarshal.Read<ulong>(records.AsSpan(at)));
            starts.Add(at);
            at += headerBytes + LengthAt(records, at) * sizeof(ushort);
        }
        return new DocumentBlock(records, [.. keys], [.. starts], headerBytes);
    }

    public ulong Key(int index) => keys[index];

    /// <summary>Whether the document is held out.</summary>
    public bool IsValidation(int index) => MemoryMarshal.Read<int>(records.AsSpan(starts[index] + sizeof(ulong))) < 0;

    public Span<ushort> Ids(int index)
    {
        int start = starts[index];
        int length = LengthAt(records, start);
        return MemoryMarshal.Cast<byte, ushort>(records.AsSpan(start + headerBytes, length * sizeof(ushort)));
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
        Array.Sort(keys, starts);
        for (int first = 0, end; first < Count; first = end)
        {
            for (end = first + 1; end < Count && keys[end] == keys[first];) end++;
            if (end - first > 1) SortEqualKeys(first, end);
        }
    }

    /// <param name="index">A document.</param>
    /// <param name="byKey">Equal keys are enough; else equal ids too.</param>
    public bool SameAsPrevious(int index, bool byKey) =>
        index > 0 && keys[index] == keys[index - 1] && (byKey || Ids(index).SequenceEqual(Ids(index - 1)));

    private static int LengthAt(byte[] records, int start) => MemoryMarshal.Read<int>(records.AsSpan(start + sizeof(ulong))) & int.MaxValue;

    private void SortEqualKeys(int first, int end)
    {
        int[] run = starts[first..end];
        int[] order = [.. Enumerable.Range(first, end - first)];
        Array.Sort(order, (a, b) => Ids(a).SequenceCompareTo(Ids(b)));
        for (int i = first; i < end; i++) starts[i] = run[order[i - first] - first];
    }
}

/// <summary>
/// Documents whose keys share their top bits, in order of arrival, spilled to a file beyond a fixed amount of memory. A record is its
/// key (8 bytes), its length, negative where it is held out (4), and its ids (2 each).
/// </summary>
internal sealed class DocumentBucket(Func<Stream> spill) : IDisposable
{
    private const int FirstBytes = 1 << 10;
    private const int MostBytes = 1 << 16;
    private const int HeaderBytes = sizeof(ulong) + sizeof(int);

    private byte[] buffer = [];
    private int used;
    private Stream? spilled;

    public void Add(ulong key, ReadOnlySpan<ushort> ids, bool validation)
    {
        int bytes = HeaderBytes + ids.Length * sizeof(ushort);
        if (used + bytes > buffer.Length) MakeRoom(bytes);
        Span<byte> record = buffer.AsSpan(used, bytes);
        MemoryMarshal.Write(record, key);
        MemoryMarshal.Write(record[sizeof(ulong)..], validation ? ids.Length | int.MinValue : ids.Length);
        MemoryMarshal.AsBytes(ids).CopyTo(record[HeaderBytes..]);
        used += bytes;
    }

    /// <summary>All records, back in memory; the bucket is empty afterwards.</summary>
    public DocumentBlock Take()
    {
        long spilled = this.spilled?.Length ?? 0;
        byte[] all = new byte[checked((int)(spilled + used))];
        if (this.spilled is not null)
        {
            this.spilled.Position = 0;
            this.spilled.ReadExactly(all, 0, (int)spilled);
        }
        buffer.AsSpan(0, used).CopyTo(all.AsSpan((int)spilled));
        Dispose();
        return DocumentBlock.Read(all, HeaderBytes);
    }

    public void Dispose()
    {
        spilled?.Dispose();
        spilled = null;
        buffer = [];
        used = 0;
    }

    private void MakeRoom(int bytes)
    {
        if (used + bytes > MostBytes && used > 0)
        {
            spilled ??= spill();
            spilled.Write(buffer, 0, used);
            used = 0;
        }
        int needed = used + bytes;
        if (needed > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(needed, Math.Min(MostBytes, Math.Max(FirstBytes, buffer.Length * 2))));
        }
    }
}
