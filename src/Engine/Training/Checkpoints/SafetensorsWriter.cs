using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>
/// Writes safetensors: 8 bytes little-endian length of the header, the header in JSON padded with spaces to a multiple of 8, then the
/// tensors without gaps; widest types first, so that every tensor is aligned to its type.
/// </summary>
public static class SafetensorsWriter
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
