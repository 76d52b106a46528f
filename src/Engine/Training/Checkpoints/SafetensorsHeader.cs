using System.Text.Json;
using System.Text.Unicode;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

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
        catch (JsonException e)
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
