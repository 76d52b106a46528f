using System.Buffers.Binary;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>A safetensors file open for reading: the header is read and checked at once, tensors when asked for.</summary>
public sealed class SafetensorsFile : IDisposable
{
    internal const string MetadataKey = "__metadata__";

    // The limit of the format's reference implementation.
    private const long LongestHeader = 100_000_000;

    private readonly Stream stream;
    private readonly string path;
    private readonly long dataStart;
    private readonly Dictionary<string, SafetensorsEntry> entries;

    private SafetensorsFile(Stream stream, string path, long dataStart, SafetensorsHeader header)
    {
        this.stream = stream;
        this.path = path;
        this.dataStart = dataStart;
        entries = header.Entries;
        Metadata = header.Metadata;
    }

    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => entries;

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <exception cref="SafetensorsException">The file is not whole or not safetensors.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        try
        {
            return Open(stream, path);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>A new tensor on the CPU.</summary>
    /// <exception cref="SafetensorsException">There is none of that name.</exception>
    public Tensor Read(string name)
    {
        SafetensorsEntry entry = Entry(name);
        Tensor tensor = empty(entry.Shape, dtype: entry.Dtype);
        Seek(entry);
        TensorBytes.Read(stream, tensor);
        return tensor;
    }

    /// <summary>Overwrites <paramref name="target"/> (any strides, any device), which must have the stored type and shape.</summary>
    /// <exception cref="SafetensorsException">There is none of that name, or it has another type or shape.</exception>
    public void ReadInto(string name, Tensor target)
    {
        SafetensorsEntry entry = Entry(name);
        if (entry.Dtype != target.dtype || !entry.Shape.AsSpan().SequenceEqual(target.shape))
            throw new SafetensorsException(SafetensorsFault.Mismatch, path,
                $"{name} is {entry}, wanted {new SafetensorsEntry(target.dtype, target.shape, 0, 0)}");
        Seek(entry);
        TensorBytes.Read(stream, target);
    }

    public void Dispose() => stream.Dispose();

    private static SafetensorsFile Open(FileStream stream, string path)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            throw new SafetensorsException(SafetensorsFault.Truncated, path, $"{stream.Length} bytes are too few for a header");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length is < 2 or > LongestHeader)
            throw new SafetensorsException(SafetensorsFault.HeaderLength, path, $"the header claims {length} bytes");
        if ((long)length > stream.Length - 8)
            throw new SafetensorsException(SafetensorsFault.Truncated, path,
                $"the header claims {length} bytes, {stream.Length - 8} follow");
        byte[] json = new byte[length];
        stream.ReadExactly(json);
        SafetensorsHeader header = SafetensorsHeader.Parse(json, path);
        long dataStart = 8 + (long)length;
        if (stream.Length < dataStart + header.DataLength)
            throw new SafetensorsException(SafetensorsFault.Truncated, path,
                $"{header.DataLength} bytes of data are described, {stream.Length - dataStart} are there");
        if (stream.Length > dataStart + header.DataLength)
            throw new SafetensorsException(SafetensorsFault.TrailingBytes, path,
                $"{stream.Length - dataStart - header.DataLength} bytes follow the data");
        return new SafetensorsFile(stream, path, dataStart, header);
    }

    private SafetensorsEntry Entry(string name) => entries.TryGetValue(name, out SafetensorsEntry? entry)
        ? entry
        : throw new SafetensorsException(SafetensorsFault.MissingTensor, path, $"holds no {name}");

    private void Seek(SafetensorsEntry entry) => stream.Position = dataStart + entry.Start;
}
