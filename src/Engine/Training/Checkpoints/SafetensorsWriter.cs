using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>
/// Writes safetensors: 8 bytes little-endian length of the header, the header in JSON padded with spaces to a multiple of 8, then the
/// tensors without gaps; widest types first, so that every tensor is aligned to its type.
/// </summary>
internal static class SafetensorsWriter
{
    /// <param name="stream">Written from its position on; not closed.</param>
    /// <param name="tensors">On any device, contiguous or not; names must differ.</param>
    /// <param name="metadata">Free text pairs for the header.</param>
    public static void Write(
        Stream stream,
        IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        KeyValuePair<string, Tensor>[] ordered =
        [
            .. tensors.OrderByDescending(t => SafetensorsDtype.Bytes(t.Value.dtype)).ThenBy(t => t.Key, StringComparer.Ordinal),
        ];
        byte[] header = Header(ordered, metadata);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach ((string _, Tensor tensor) in ordered) TensorBytes.Write(tensor, stream);
    }

    private static byte[] Header(KeyValuePair<string, Tensor>[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsFile.MetadataKey);
                foreach ((string key, string value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach ((string name, Tensor tensor) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", SafetensorsDtype.Name(tensor.dtype));
                json.WriteStartArray("shape");
                foreach (long d in tensor.shape) json.WriteNumberValue(d);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += tensor.numel() * SafetensorsDtype.Bytes(tensor.dtype);
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }
}

/// <summary>Names of element types in safetensors headers.</summary>
internal static class SafetensorsDtype
{
    private static readonly (string Name, ScalarType Type, int Bytes)[] Table =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    public static IEnumerable<string> Names => Table.Select(t => t.Name);

    public static ScalarType? Type(string name)
    {
        foreach (var row in Table)
            if (row.Name == name) return row.Type;
        return null;
    }

    public static string Name(ScalarType type) => Row(type).Name;

    public static int Bytes(ScalarType type) => Row(type).Bytes;

    private static (string Name, ScalarType Type, int Bytes) Row(ScalarType type)
    {
        foreach (var row in Table)
            if (row.Type == type) return row;
        throw new NotSupportedException($"safetensors has no {type}");
    }
}

/// <summary>A safetensors file that is not one, or is damaged; <see cref="Fault"/> says in which way.</summary>
internal sealed class SafetensorsException(SafetensorsFault fault, string path, string detail)
    : Exception($"{path}: {detail} ({fault})")
{
    public SafetensorsFault Fault { get; } = fault;

    public string Path { get; } = path;

    /// <summary>What is wrong, without the file's name.</summary>
    public string Detail { get; } = detail;

    /// <summary>The same as a user's mistake, for files that users name.</summary>
    public InputException AsInput(string hint = "") => new(Path, Detail, "a safetensors file", hint);
}

public enum SafetensorsFault
{
    /// <summary>The file ends before its header, or before its data do.</summary>
    Truncated,

    /// <summary>The length of the header is not plausible.</summary>
    HeaderLength,

    /// <summary>The header is not the JSON it should be.</summary>
    HeaderJson,

    /// <summary>A type that the format does not have.</summary>
    Dtype,

    /// <summary>A negative or overflowing dimension, or one that does not agree with the size of the data.</summary>
    Shape,

    /// <summary>Data ranges that overlap, leave holes or run backwards.</summary>
    Offsets,

    /// <summary>Bytes after the data.</summary>
    TrailingBytes,

    /// <summary>A tensor that was asked for is not there.</summary>
    MissingTensor,

    /// <summary>A tensor has another type or shape than the place it is read into.</summary>
    Mismatch,

    /// <summary>The content is not what its recorded SHA-256 says.</summary>
    Checksum,
}
