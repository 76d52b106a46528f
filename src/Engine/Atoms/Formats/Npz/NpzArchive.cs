using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>
/// numpy's .npz: a zip archive of .npy arrays (numpy.lib.format, versions 1 to 3). A member is inflated when it is asked for, as far as its
/// header says and no further; one that nobody asks for may hold anything.
/// </summary>
internal sealed partial class NpzArchive
{
    private const int HeaderBytes = 1 << 16, PartBytes = 1 << 20;

    private readonly Dictionary<string, int> members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NpyArray> arrays = new(StringComparer.Ordinal);
    private readonly ReadBudget budget;

    private readonly CancellationToken stop;

    private NpzArchive(string path, CancellationToken stop)
    {
        Path = path;
        this.stop = stop;
        budget = new ReadBudget(path);
    }

    public string Path { get; }

    public IEnumerable<string> Names => members.Keys;

    /// <exception cref="InputException">No such array, or one of no plain numbers or text.</exception>
    public NpyArray this[string name] => members.ContainsKey(name)
        ? Find(name)! : throw new InputException(Path, $"no array '{name}'", $"one; it has {string.Join(", ", Names)}");

    /// <summary>The first of these that is there.</summary>
    /// <exception cref="InputException">It holds no plain numbers or text, or less than it says.</exception>
    public NpyArray? Find(params ReadOnlySpan<string> names)
    {
        foreach (string asked in names)
        {
            string name = Spelling(asked);
            if (arrays.TryGetValue(name, out NpyArray? array)) return array;
            if (members.TryGetValue(name, out int member))
                return arrays[name] = Open(Path, zip => Reading.Guard($"{Path}: {name}", "an .npy array", () => Load(zip.Entries[member], name)));
        }
        return null;
    }

    /// <summary>As it is asked for, else in other letters; names of one letter mean two things in two cases.</summary>
    private string Spelling(string name)
    {
        if (members.ContainsKey(name) || name.Length == 1) return name;
        string[] others = [.. members.Keys.Where(other => other.Equals(name, StringComparison.OrdinalIgnoreCase))];
        return others.Length < 2 ? others.FirstOrDefault() ?? name : throw new InputException(Path, $"arrays {string.Join(" and ", others)}", "one of them");
    }

    /// <exception cref="InputException">Missing, truncated, or no .npz.</exception>
    public static NpzArchive Open(string path, CancellationToken stop = default) => Open(path, zip =>
    {
        NpzArchive archive = new(path, stop);
        for (int i = 0; i < zip.Entries.Count; i++)
        {
            string member = zip.Entries[i].FullName;
            string name = member.EndsWith(".npy", StringComparison.Ordinal) ? member[..^4] : member;
            if (!archive.members.TryAdd(name, i)) throw new InputException($"{path}: {name}", "two arrays of one name", "one");
        }
        return archive;
    });

    private static T Open<T>(string path, Func<ZipArchive, T> read)
    {
        try
        {
            using ZipArchive zip = ZipFile.OpenRead(path);
            return read(zip);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or ArithmeticException)
        {
            throw new InputException(path, "truncated or no .npz archive", "a complete one, as numpy.savez writes", e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "an .npz archive", e.Message);
        }
    }

    private NpyArray Load(ZipArchiveEntry entry, string name)
    {
        string place = $"{Path}: {name}";
        using Stream stream = entry.Open();
        string header = Header(stream, place, out int start);
        Match description = Description().Match(header), order = Order().Match(header), shape = Shape().Match(header);
        if (!order.Success || !shape.Success || !header.Contains("'descr'", StringComparison.Ordinal))
        {
            throw new InputException(place, "an unreadable header", "descr, fortran_order and shape");
        }
        // Structured types have a list where others have their name.
        if (!description.Success || NpyType.Parse(description.Groups[1].Value) is not { } type)
        {
            throw new InputException(
                place, $"type {(description.Success ? description.Groups[1].Value : "of several parts")}", "plain numbers or text", "save it as float64, integers or text");
        }
        long[] sizes = [.. shape.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(size =>
            long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : throw new InputException(place, $"a size of {size}", "a count"))];
        long elements = ReadBudget.Elements(place, sizes), bytes = elements * type.Size;
        if (bytes > Array.MaxLength) throw new InputException(place, $"{bytes} bytes", $"at most {Array.MaxLength} an array");
        if (entry.Length - start != bytes)
        {
            throw new InputException(place, $"{entry.Length - start} bytes of data", $"{bytes} for shape ({shape.Groups[1].Value})");
        }
        budget.Take(place, elements, type.Size + (type.IsText ? 32 : sizeof(double)));
        byte[] data = new byte[bytes];
        int read = 0;
        while (read < data.Length)
        {
            stop.ThrowIfCancellationRequested();
            int part = stream.Read(data, read, Math.Min(PartBytes, data.Length - read));
            if (part == 0) break;
            read += part;
        }
        if (read < data.Length) throw new InputException(place, $"{read} bytes", $"{bytes}", "the file is truncated");
        return new NpyArray(Path, name, type, sizes, order.Groups[1].Value == "True", data, stop);
    }

    /// <param name="stream">The member, from its beginning to behind the header.</param>
    /// <param name="place">File and key.</param>
    /// <param name="start">Where the data begin.</param>
    private static string Header(Stream stream, string place, out int start)
    {
        byte[] prefix = new byte[12];
        int fixedBytes = stream.ReadAtLeast(prefix.AsSpan(0, 10), 10, throwOnEndOfStream: false);
        if (fixedBytes < 10 || prefix[0] != 0x93 || !prefix.AsSpan(1, 5).SequenceEqual("NUMPY"u8))
        {
            throw new InputException(place, "no .npy array", "one");
        }
        long length = BinaryPrimitives.ReadUInt16LittleEndian(prefix.AsSpan(8));
        if (prefix[6] != 1)
        {
            fixedBytes += stream.ReadAtLeast(prefix.AsSpan(10), 2, throwOnEndOfStream: false);
            length = BinaryPrimitives.ReadUInt32LittleEndian(prefix.AsSpan(8));
        }
        if (length > HeaderBytes) throw new InputException(place, $"a header of {length} bytes", "a shorter one");
        byte[] header = new byte[length];
        if (stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length) throw new InputException(place, "ends within its header", "an .npy array");
        start = fixedBytes + header.Length;
        return Encoding.UTF8.GetString(header);
    }

    [GeneratedRegex("'descr':\\s*'([^']+)'")]
    private static partial Regex Description();

    [GeneratedRegex("'fortran_order':\\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape':\s*\(([0-9, ]*)\)")]
    private static partial Regex Shape();
}
