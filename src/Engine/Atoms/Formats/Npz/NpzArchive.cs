using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>
/// numpy's .npz: a zip archive of .npy arrays (numpy.lib.format, versions 1 to 3). Arrays that hold Python objects are passed over; the
/// others are read when asked for.
/// </summary>
internal sealed partial class NpzArchive
{
    private const int HeaderBytes = 1 << 16;

    private readonly Dictionary<string, NpyArray> arrays = new(StringComparer.Ordinal);

    private NpzArchive(string path) => Path = path;

    public string Path { get; }

    public IEnumerable<string> Names => arrays.Keys;

    /// <exception cref="InputException">No such array.</exception>
    public NpyArray this[string name] =>
        Find(name) ?? throw new InputException(Path, $"no array '{name}'", $"one; it has {string.Join(", ", Names)}");

    public NpyArray? Find(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (arrays.TryGetValue(name, out NpyArray? array)) return array;
        return null;
    }

    /// <exception cref="InputException">Missing, truncated, or no .npz.</exception>
    public static NpzArchive Open(string path)
    {
        NpzArchive archive = new(path);
        try
        {
            using ZipArchive zip = ZipFile.OpenRead(path);
            foreach (ZipArchiveEntry entry in zip.Entries) archive.Load(entry);
        }
        catch (InvalidDataException e)
        {
            throw new InputException(path, "truncated or no .npz archive", "a complete one, as numpy.savez writes", e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "an .npz archive", e.Message);
        }
        return archive;
    }

    private void Load(ZipArchiveEntry entry)
    {
        string name = entry.FullName.EndsWith(".npy", StringComparison.Ordinal) ? entry.FullName[..^4] : entry.FullName;
        string place = $"{Path}: {name}";
        byte[] bytes = new byte[entry.Length];
        using (Stream stream = entry.Open())
        {
            int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read < bytes.Length) throw new InputException(place, $"{read} bytes", $"{bytes.Length}", "the file is truncated");
        }
        if (bytes.Length < 12 || bytes[0] != 0x93 || !bytes.AsSpan(1, 5).SequenceEqual("NUMPY"u8))
        {
            throw new InputException(place, "no .npy array", "one in every member of the archive");
        }
        int start = bytes[6] == 1 ? 10 : 12;
        long length = bytes[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8))
            : BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8));
        if (length > HeaderBytes || start + length > bytes.Length)
        {
            throw new InputException(place, $"a header of {length} bytes", "a shorter one");
        }
        string header = Encoding.UTF8.GetString(bytes, start, (int)length);
        Match description = Description().Match(header), order = Order().Match(header), shape = Shape().Match(header);
        if (!description.Success || !order.Success || !shape.Success)
        {
            // Structured types have a list here, objects the letter O: neither is an array of numbers or text.
            if (header.Contains("'descr'", StringComparison.Ordinal)) return;
            throw new InputException(place, "an unreadable header", "descr, fortran_order and shape");
        }
        if (NpyType.Parse(description.Groups[1].Value) is not { } type) return;
        long[] sizes = [.. shape.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(size => long.Parse(size, CultureInfo.InvariantCulture))];
        long expected = sizes.Aggregate((long)type.Size, (a, b) => checked(a * b));
        byte[] data = bytes[(start + (int)length)..];
        if (data.Length != expected)
        {
            throw new InputException(place, $"{data.Length} bytes of data", $"{expected} for shape ({shape.Groups[1].Value})");
        }
        arrays[name] = new NpyArray(Path, name, type, sizes, order.Groups[1].Value == "True", data);
    }

    [GeneratedRegex("'descr':\\s*'([^']+)'")]
    private static partial Regex Description();

    [GeneratedRegex("'fortran_order':\\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape':\s*\(([0-9, ]*)\)")]
    private static partial Regex Shape();
}
