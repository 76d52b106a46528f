using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>A safetensors file open for reading: the header is read and checked at once, tensors when asked for.</summary>
internal sealed class SafetensorsFile : IDisposable
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

/// <summary>The JSON header, with every rule of the format checked.</summary>
internal sealed class SafetensorsHeader
{
    private readonly string path;

    private SafetensorsHeader(string path) => this.path = path;

    public Dictionary<string, SafetensorsEntry> Entries { get; } = [];

    public Dictionary<string, string> Metadata { get; } = [];

    public long DataLength { get; private set; }

    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> utf8, string path)
    {
        var header = new SafetensorsHeader(path);
        // The format wants the brace first and allows spaces only behind.
        if (utf8.Span[0] != (byte)'{') throw header.Wrong(SafetensorsFault.HeaderJson, "the header does not begin with a brace");
        // The parser passes over them, and whoever asks for the text fails.
        if (!Utf8.IsValid(utf8.Span)) throw header.Wrong(SafetensorsFault.HeaderJson, "the header is not UTF-8");
        try
        {
            using JsonDocument json = JsonDocument.Parse(utf8, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name == SafetensorsFile.MetadataKey) header.AddMetadata(property.Value);
                else header.Entries.Add(property.Name, header.Entry(property.Name, property.Value));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw header.Wrong(SafetensorsFault.HeaderJson, $"the header is not JSON: {e.Message}");
        }
        header.CheckOffsets();
        return header;
    }

    private void AddMetadata(JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object) throw Wrong(SafetensorsFault.HeaderJson, "the metadata are no object");
        foreach (JsonProperty pair in metadata.EnumerateObject())
        {
            if (pair.Value.ValueKind != JsonValueKind.String)
                throw Wrong(SafetensorsFault.HeaderJson, $"metadata {pair.Name} is no string");
            Metadata.Add(pair.Name, pair.Value.GetString()!);
        }
    }

    private SafetensorsEntry Entry(string name, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("dtype", out JsonElement dtype)
            || dtype.ValueKind != JsonValueKind.String
            || !json.TryGetProperty("shape", out JsonElement shape) || !json.TryGetProperty("data_offsets", out JsonElement offsets))
            throw Wrong(SafetensorsFault.HeaderJson, $"{name} has no dtype, shape or data_offsets");
        ScalarType type = SafetensorsDtype.Type(dtype.GetString()!)
            ?? throw Wrong(SafetensorsFault.Dtype,
                $"{name} is of type {dtype.GetString()}; known: {string.Join(", ", SafetensorsDtype.Names)}");
        long[] dimensions = Numbers(shape, SafetensorsFault.Shape, $"the shape of {name}");
        long[] range = Numbers(offsets, SafetensorsFault.Offsets, $"data_offsets of {name}");
        if (range.Length != 2 || range[1] < range[0]) throw Wrong(SafetensorsFault.Offsets, $"data_offsets of {name} are no range");
        long bytes;
        try
        {
            bytes = dimensions.Aggregate((long)SafetensorsDtype.Bytes(type), (product, d) => checked(product * d));
        }
        catch (OverflowException)
        {
            throw Wrong(SafetensorsFault.Shape, $"the shape of {name} overflows");
        }
        if (bytes != range[1] - range[0])
            throw Wrong(SafetensorsFault.Shape, $"the shape of {name} wants {bytes} bytes, its data_offsets give {range[1] - range[0]}");
        return new SafetensorsEntry(type, dimensions, range[0], range[1]);
    }

    private long[] Numbers(JsonElement json, SafetensorsFault fault, string what)
    {
        if (json.ValueKind != JsonValueKind.Array) throw Wrong(fault, $"{what} is no list");
        var numbers = new List<long>();
        foreach (JsonElement item in json.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out long n) || n < 0)
                throw Wrong(fault, $"{what} holds {item.GetRawText()}");
            numbers.Add(n);
        }
        return [.. numbers];
    }

    /// <summary>The ranges must tile the data section: nothing twice, nothing left out.</summary>
    private void CheckOffsets()
    {
        long end = 0;
        foreach ((string name, SafetensorsEntry entry) in Entries.OrderBy(e => e.Value.Start).ThenBy(e => e.Value.End))
        {
            if (entry.Start != end)
                throw Wrong(SafetensorsFault.Offsets, $"{name} begins at {entry.Start}, the tensor before it ends at {end}");
            end = entry.End;
        }
        DataLength = end;
    }

    private SafetensorsException Wrong(SafetensorsFault fault, string detail) => new(fault, path, detail);
}

/// <summary>One tensor of a header; its bytes are <c>[Start, End)</c> of the data section.</summary>
internal sealed record SafetensorsEntry(ScalarType Dtype, long[] Shape, long Start, long End)
{
    public override string ToString() => $"{SafetensorsDtype.Name(Dtype)} ({string.Join(", ", Shape)})";
}
