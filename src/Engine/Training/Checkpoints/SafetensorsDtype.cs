using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

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
