using System.Buffers.Binary;
using System.Text.Json;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Files;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Formats.AseDatabase;

/// <summary>
/// A row's <c>data</c>: JSON text, or a blob of raw arrays with JSON behind them that says where each starts (8 bytes at the front
/// say where the JSON does).
/// </summary>
internal sealed class AseData
{
    private readonly Dictionary<string, double[]> numbers = new(StringComparer.Ordinal);

    private AseData()
    {
    }

    /// <exception cref="InputException">Cut short, or no JSON.</exception>
    public static AseData Parse(object? value, string place)
    {
        AseData data = new();
        byte[] blob = value as byte[] ?? [];
        string text = value as string ?? "";
        string at = $"{place}: data";
        long start = blob.Length < 8 ? -1 : BinaryPrimitives.ReadInt64LittleEndian(blob);
        if (blob.Length > 0 && (start < 8 || start > blob.Length)) throw new InputException(at, $"{blob.Length} bytes", "arrays and JSON");
        if (blob.Length == 0 && text.Length == 0) return data;
        using JsonDocument document = blob.Length > 0 ? JsonPlace.Document(blob.AsSpan((int)start), at) : JsonPlace.Document(text, at);
        data.Add(document.RootElement, blob, place);
        return data;
    }

    public bool Has(string name) => numbers.ContainsKey(name);

    public IEnumerable<string> Names => numbers.Keys;

    public double[] Numbers(string name) => numbers[name];

    private void Add(JsonElement root, byte[] blob, string place)
    {
        if (root.ValueKind != JsonValueKind.Object) return;
        foreach (JsonProperty member in root.EnumerateObject())
        {
            List<double> numbers = [];
            if (member.Value.ValueKind == JsonValueKind.Object && member.Value.TryGetProperty("__ndarray__", out JsonElement array))
            {
                this.numbers[member.Name] = Array(array, blob, $"{place}: data: {member.Name}");
            }
            else if (Collect(member.Value, numbers))
            {
                this.numbers[member.Name] = [.. numbers];
            }
        }
    }

    /// <summary>Numbers, or lists of them at any depth; false for anything else.</summary>
    private static bool Collect(JsonElement value, List<double> numbers)
    {
        if (value.ValueKind == JsonValueKind.Array) return value.EnumerateArray().All(item => Collect(item, numbers));
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number)) return false;
        numbers.Add(number);
        return true;
    }

    /// <summary>[shape, type, byte offset], or [shape, type, list of values].</summary>
    private static double[] Array(JsonElement array, byte[] blob, string place)
    {
        JsonElement[] parts = array.ValueKind == JsonValueKind.Array ? [.. array.EnumerateArray()] : [];
        if (parts is not [{ ValueKind: JsonValueKind.Array } shape, { ValueKind: JsonValueKind.String } name, var where])
        {
            throw new InputException(place, array.GetRawText(), "[shape, type, offset]");
        }
        long[] sizes = [.. shape.EnumerateArray().Select(size => size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out long whole) ? whole
            : throw new InputException(place, $"a size of {size.GetRawText()}", "a count"))];
        List<double> listed = [];
        if (where.ValueKind == JsonValueKind.Array)
        {
            if (!Collect(where, listed)) throw new InputException(place, "a list", "numbers");
            return ReadBudget.Elements(place, sizes) == listed.Count ? [.. listed]
                : throw new InputException(place, $"{listed.Count} values", $"as many as shape ({string.Join(", ", sizes)}) has");
        }
        NpyType type = Type(name.GetString()!) ?? throw new InputException(place, $"type {name}", "float64 or another numpy number");
        long count = ReadBudget.Elements(place, sizes);
        if (where.ValueKind != JsonValueKind.Number || !where.TryGetInt64(out long start) || start < 0 || start > blob.Length
            || count > (blob.Length - start) / type.Size)
        {
            throw new InputException(place, $"{count} values at byte {where}", $"an array within {blob.Length} bytes");
        }
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = type.Double(blob.AsSpan((int)start + i * type.Size, type.Size));
        return values;
    }

    private static NpyType? Type(string numpyName) => numpyName switch
    {
        "float64" => new NpyType('f', 8, false),
        "float32" => new NpyType('f', 4, false),
        "int64" => new NpyType('i', 8, false),
        "int32" => new NpyType('i', 4, false),
        "uint8" => new NpyType('u', 1, false),
        "int8" => new NpyType('i', 1, false),
        "bool" => new NpyType('b', 1, false),
        _ => null,
    };
}
