using System.IO.Compression;
using System.Text.RegularExpressions;
using ChemScale.Engine.Files;
using PureHDF;
using PureHDF.Filters;
using PureHDF.VOL.Native;

namespace ChemScale.Engine.Atoms.Formats.Hdf5;

/// <summary>An HDF5 file, whose faults are the user's.</summary>
internal sealed partial class Hdf5File : IDisposable
{
    private readonly NativeFile file;

    static Hdf5File() => H5Filter.Register(new ChunkInflation());

    private Hdf5File(string path, NativeFile file)
    {
        this.file = file;
        Root = new Hdf5Group(path, "", file, new ReadBudget(path));
    }

    public Hdf5Group Root { get; }

    /// <exception cref="InputException">Missing, truncated, or no HDF5 file.</exception>
    public static Hdf5File Open(string path, CancellationToken stop = default) => Guard(path, () =>
    {
        Hdf5Bytes bytes = new(path, stop);
        try
        {
            return new Hdf5File(path, Hdf5Driver.Open(bytes));
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    });

    public void Dispose() => file.Dispose();

    [GeneratedRegex("filter '([^']*)' with ID '([0-9]+)'")]
    private static partial Regex MissingFilter();

    /// <summary>The library throws whatever its parser meets in a damaged file, plain <see cref="Exception"/> included.</summary>
    public static T Guard<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        // The library wraps what a filter or a stream throws.
        catch (Exception e) when (e.GetBaseException() is OperationCanceledException cancelled)
        {
            throw new OperationCanceledException(cancelled.Message, e, cancelled.CancellationToken);
        }
        catch (Exception e) when (e is not InputException)
        {
            throw MissingFilter().Match(e.Message) is { Success: true } filter
                ? new InputException(place, $"compressed by a filter that is not read here: {filter.Groups[1].Value.Trim()} ({filter.Groups[2].Value})", "gzip, shuffle or none",
                    "h5repack -f GZIP=4 IN OUT")
                : new InputException(
                    place, e is OutOfMemoryException ? "asks for more memory than there is" : "truncated or no HDF5 file", "a complete one", e.GetBaseException().Message);
        }
    }
}

/// <summary>
/// The bytes of a file as they are read: in parts, between which it hears that they are no longer wanted, and never beyond the end, which a
/// damaged size points to.
/// </summary>
internal sealed class Hdf5Bytes(string path, CancellationToken stop) : Stream
{
    private const int Part = 1 << 24;

    private readonly FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => file.Length;

    public override long Position { get => file.Position; set => file.Position = value; }

    public override int Read(Span<byte> buffer)
    {
        stop.ThrowIfCancellationRequested();
        if (buffer.Length > file.Length - file.Position) throw new InvalidDataException($"{buffer.Length} bytes at {file.Position}, beyond the end");
        return file.Read(buffer[..Math.Min(Part, buffer.Length)]);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>Deflate as the library has it, but for a chunk that inflates to more than a chunk has.</summary>
internal sealed class ChunkInflation : IH5Filter
{
    // Filters that were applied before add a checksum.
    private const int More = 64;

    private readonly DeflateFilter whole = new();

    public ushort FilterId => whole.FilterId;

    public string Name => whole.Name;

    public Memory<byte> Filter(FilterInfo info)
    {
        if (!info.Flags.HasFlag(H5FilterFlags.Decompress)) return whole.Filter(info);
        using var packed = new MemoryStream(info.Buffer.ToArray(), writable: false);
        using var inflated = new ZLibStream(packed, CompressionMode.Decompress);
        byte[] chunk = new byte[checked(info.ChunkSize + More)];
        int length = inflated.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
        return length < chunk.Length ? chunk.AsMemory(0, length) : throw new InvalidDataException($"a chunk inflates to more than its {info.ChunkSize} bytes");
    }

    public uint[] GetParameters(uint[] chunkDimensions, uint typeSize, Dictionary<string, object>? options) => whole.GetParameters(chunkDimensions, typeSize, options);
}

/// <summary>A group of an HDF5 file, its data sets read as what is asked for.</summary>
internal sealed class Hdf5Group
{
    private readonly string file;
    private readonly string name;
    private readonly ReadBudget budget;
    private readonly Dictionary<string, IH5Dataset> sets = new(StringComparer.Ordinal);
    private readonly List<(string Name, IH5Group Group)> groups = [];

    public Hdf5Group(string file, string name, IH5Group group, ReadBudget budget)
    {
        this.file = file;
        this.name = name;
        this.budget = budget;
        foreach (IH5Object child in Hdf5File.Guard(Place, () => group.Children().ToArray()))
        {
            if (child is IH5Dataset set) sets[child.Name] = set;
            else if (child is IH5Group inner) groups.Add((child.Name, inner));
        }
    }

    /// <summary>File and group.</summary>
    public string Place => name.Length == 0 ? file : $"{file}: {name}";

    public IEnumerable<string> Members => sets.Keys.Order(StringComparer.Ordinal);

    public string Names => string.Join(", ", Members);

    public string At(string name) => this.name.Length == 0 ? $"{file}: {name}" : $"{file}: {this.name}/{name}";

    public bool Has(string name) => sets.ContainsKey(name);

    public bool IsText(string name) => sets[name].Type.Class is H5DataTypeClass.String or H5DataTypeClass.VariableLength;

    /// <summary>This group and those below it, by name.</summary>
    public IEnumerable<Hdf5Group> WithDescendants(int depth = 0)
    {
        // A group may be a member of itself.
        Nesting.Check(depth, Place);
        yield return this;
        foreach ((string name, IH5Group group) in groups.OrderBy(child => child.Name, StringComparer.Ordinal))
        {
            Hdf5Group child = new(file, this.name.Length == 0 ? name : $"{this.name}/{name}", group, budget);
            foreach (Hdf5Group descendant in child.WithDescendants(depth + 1)) yield return descendant;
        }
    }

    /// <summary>What a data set's attribute says of its unit; null where it has none.</summary>
    public string? Unit(string name) => Hdf5File.Guard(At(name), () =>
        ((string[])["units", "unit"]).Where(sets[name].AttributeExists).Select(attribute => Text(name, sets[name].Attribute(attribute))).FirstOrDefault());

    private string Text(string name, IH5Attribute attribute)
    {
        budget.Hold(At(name), Product(name, attribute.Space.Dimensions), Math.Max(64, attribute.Type.Size));
        return attribute.Read<string>().Trim('\0', ' ');
    }

    public string[] Texts(string name) => Hdf5File.Guard(At(name), () =>
    {
        Shape(name, 64);
        return sets[name].Read<string[]>();
    });

    /// <exception cref="InputException">Not plain numbers.</exception>
    public double[] Numbers(string name, out long[] shape)
    {
        IH5Dataset set = sets[name];
        shape = Hdf5File.Guard(At(name), () => Shape(name, 2 * sizeof(double)));
        return Hdf5File.Guard(At(name), () => (set.Type.Class, set.Type.Size) switch
        {
            (H5DataTypeClass.FloatingPoint, 8) => set.Read<double[]>(),
            (H5DataTypeClass.FloatingPoint, 4) => Widened(set.Read<float[]>()),
            (H5DataTypeClass.FixedPoint, 1) => Widened(set.Read<byte[]>()),
            (H5DataTypeClass.FixedPoint, 2) => Widened(set.Read<short[]>()),
            (H5DataTypeClass.FixedPoint, 4) => Widened(set.Read<int[]>()),
            (H5DataTypeClass.FixedPoint, 8) => Widened(set.Read<long[]>()),
            _ => throw new InputException(At(name), $"{set.Type.Class} of {set.Type.Size} bytes", "numbers"),
        });
    }

    private long[] Shape(string name, int bytes)
    {
        IH5Dataset set = sets[name];
        long[] shape = [.. set.Space.Dimensions.Select(size => checked((long)size))];
        budget.Take(At(name), ReadBudget.Elements(At(name), shape), Math.Max(bytes, set.Type.Size));
        // A chunk is unpacked whole, however little of it the data set fills.
        if (set.Layout.Class == H5DataLayoutClass.Chunked) budget.Hold(At(name), Product(name, set.Layout.Chunks), set.Type.Size);
        return shape;
    }

    private long Product(string name, ulong[] sizes) => ReadBudget.Elements(At(name), [.. sizes.Select(size => checked((long)size))]);

    private static double[] Widened<T>(T[] values)
        where T : System.Numerics.INumber<T> => [.. values.Select(double.CreateChecked)];
}
