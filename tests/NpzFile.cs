using System.IO.Compression;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace ChemScale.Tests;

/// <summary>Reads numpy's .npz of little-endian C-ordered f4, f8, i4, i8 arrays: the form of the reference fixtures.</summary>
public sealed partial class NpzFile
{
    private readonly Dictionary<string, (string Type, long[] Shape, byte[] Data)> arrays = [];

    public NpzFile(string path)
    {
        using ZipArchive zip = ZipFile.OpenRead(path);
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            using Stream stream = entry.Open();
            using var reader = new BinaryReader(stream);
            byte[] magic = reader.ReadBytes(8);
            int headerLength = magic[6] == 1 ? reader.ReadUInt16() : reader.ReadInt32();
            string header = System.Text.Encoding.Latin1.GetString(reader.ReadBytes(headerLength));
            Match match = Header().Match(header);
            if (!match.Success) throw new InvalidDataException($"{path}: {entry.Name}: {header}");
            long[] shape = [.. match.Groups[2].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(long.Parse)];
            string type = match.Groups[1].Value;
            long bytes = shape.Aggregate(1L, (a, b) => a * b) * (type[^1] - '0');
            arrays[Path.GetFileNameWithoutExtension(entry.Name)] = (type, shape, reader.ReadBytes((int)bytes));
        }
    }

    public IEnumerable<string> Names => arrays.Keys;

    public bool Has(string name) => arrays.ContainsKey(name);

    public long[] Shape(string name) => arrays[name].Shape;

    public double[] Doubles(string name) => Read(name, Convert.ToDouble);

    public int[] Ints(string name) => Read(name, Convert.ToInt32);

    public int Int(string name) => Ints(name).Single();

    /// <summary>As float64, in the array's shape.</summary>
    public Tensor Tensor(string name) => tensor(Doubles(name)).reshape(Shape(name));

    private T[] Read<T>(string name, Func<object, T> convert)
    {
        (string type, long[] _, byte[] data) = arrays[name];
        int size = type[^1] - '0';
        var values = new T[data.Length / size];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = convert(type switch
            {
                "f4" => BitConverter.ToSingle(data, 4 * i),
                "u1" => data[i],
                "f8" => BitConverter.ToDouble(data, 8 * i),
                "i4" => BitConverter.ToInt32(data, 4 * i),
                "i8" => BitConverter.ToInt64(data, 8 * i),
                _ => throw new InvalidDataException($"{name}: type {type}"),
            });
        }
        return values;
    }

    [GeneratedRegex(@"'descr': '[<|](\w\d)', 'fortran_order': False, 'shape': \(([^)]*)\)")]
    private static partial Regex Header();
}
