using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms.Store;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Frames in order of arrival in a file, so that sorting them takes memory for their keys alone.</summary>
internal sealed class FrameSpool(Stream stream)
{
    private const int BufferBytes = 1 << 20;

    private readonly BufferedStream _writer = new(stream, BufferBytes);
    private readonly Dictionary<string, int> _types = new(StringComparer.Ordinal);
    private long _end;

    /// <summary>Names of configurations, in order of arrival.</summary>
    public List<string> ConfigTypes { get; } = [];

    /// <summary>Where the frame starts.</summary>
    public long Add(Frame frame)
    {
        long start = _end;
        FrameRecord record = FrameRecord.Of(frame, TypeOf(frame));
        Write(MemoryMarshal.AsBytes(new ReadOnlySpan<FrameRecord>(in record)));
        Write(MemoryMarshal.AsBytes<int>([frame.Atoms]));
        Write([.. frame.AtomicNumbers.Select(number => (byte)number)]);
        Write(MemoryMarshal.AsBytes<double>(frame.Positions));
        if (frame.HasForces) Write(MemoryMarshal.AsBytes<double>(frame.Forces));
        return start;
    }

    /// <summary>No more frames will come.</summary>
    public void Flush() => _writer.Flush();

    public Frame Read(long offset)
    {
        stream.Position = offset;
        FrameRecord record = Read<FrameRecord>(1)[0];
        int atoms = Read<int>(1)[0];
        byte[] elements = Read<byte>(atoms);
        double[] positions = Read<double>(3 * atoms);
        return record.ToFrame(elements, positions, record.HasForces ? Read<double>(3 * atoms) : [], ConfigTypes, "spool");
    }

    public int TypeOf(Frame frame)
    {
        if (frame.ConfigType is null) return -1;
        if (_types.TryGetValue(frame.ConfigType, out int index)) return index;
        ConfigTypes.Add(frame.ConfigType);
        return _types[frame.ConfigType] = ConfigTypes.Count - 1;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _writer.Write(bytes);
        _end += bytes.Length;
    }

    private T[] Read<T>(int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
