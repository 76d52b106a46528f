using System.IO.Compression;
using System.Text;
using ChemScale.Engine.Files;
using ChemScale.Engine.Training.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Exchange;

/// <summary>
/// Tensors by name out of a file of <c>torch.save(model.state_dict(), FILE)</c>, since PyTorch 1.6 a zip archive: data.pkl and a member for each storage.
/// Nothing in it is executed: see <see cref="Pickle"/>.
/// </summary>
internal sealed class TorchArchive : IDisposable
{
    private const string Expected = "a file of tensors, as torch.save writes a state_dict";
    private const long LongestPickle = 64 << 20;

    // The first bytes of a pickle by itself: the format before 1.6.
    private static readonly byte[] Legacy = [0x80, 0x02, 0x8a, 0x0a];

    private static readonly Dictionary<string, (ScalarType Type, int Bytes)> Types = new()
    {
        ["Double"] = (ScalarType.Float64, 8),
        ["Float"] = (ScalarType.Float32, 4),
        ["Half"] = (ScalarType.Float16, 2),
        ["BFloat16"] = (ScalarType.BFloat16, 2),
        ["Long"] = (ScalarType.Int64, 8),
        ["Int"] = (ScalarType.Int32, 4),
        ["Short"] = (ScalarType.Int16, 2),
        ["Char"] = (ScalarType.Int8, 1),
        ["Byte"] = (ScalarType.Byte, 1),
        ["Bool"] = (ScalarType.Bool, 1),
    };

    private readonly string path, prefix;
    private readonly ZipArchive zip;
    private readonly ReadBudget budget;
    private readonly Dictionary<string, PickledTensor> tensors;

    private TorchArchive(string path, ZipArchive zip)
    {
        (this.path, this.zip, budget) = (path, zip, new ReadBudget(path));
        ZipArchiveEntry[] pickles = [.. zip.Entries.Where(e => e.FullName == "data.pkl" || e.FullName.EndsWith("/data.pkl", StringComparison.Ordinal))];
        if (pickles.Length != 1) throw new InputException(path, $"{pickles.Length} members data.pkl", Expected);
        prefix = pickles[0].FullName[..^"data.pkl".Length];
        if (zip.GetEntry(prefix + "byteorder") is { } order && Encoding.ASCII.GetString(Content(order, 16)).Trim() is var name and not "little")
            throw new InputException(path, $"numbers in {name}-endian order", "little-endian");
        tensors = Named(Pickle.Read(Content(pickles[0], LongestPickle), $"{path}: data.pkl"));
    }

    public IReadOnlyDictionary<string, PickledTensor> Tensors => tensors;

    /// <exception cref="InputException">Missing, damaged, of the old format, or a pickle of more than tensors.</exception>
    public static TorchArchive Open(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            try
            {
                Span<byte> first = stackalloc byte[Legacy.Length];
                if (stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false) == first.Length && first.SequenceEqual(Legacy))
                    throw new InputException(path, "the format of PyTorch before 1.6", Expected, "load and save it once with a newer PyTorch");
                stream.Position = 0;
                return Reading.Guard(path, Expected, () => new TorchArchive(path, new ZipArchive(stream, ZipArchiveMode.Read)));
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", Expected, e.Message);
        }
    }

    /// <summary>A new tensor on the CPU; null where there is none of that name.</summary>
    /// <exception cref="InputException">Its numbers are not all there.</exception>
    public Tensor? Read(string name) => tensors.TryGetValue(name, out PickledTensor? tensor)
        ? Reading.Guard($"{path}: {name}", "a tensor", () => Read(name, tensor)) : null;

    public void Dispose() => zip.Dispose();

    private Tensor Read(string name, PickledTensor tensor)
    {
        string place = $"{path}: {name}";
        (ScalarType type, int bytes) = Types[tensor.Storage.Type];
        long elements = ReadBudget.Elements(place, tensor.Sizes);
        Int128 last = tensor.Offset;
        if (tensor.Sizes.Length != tensor.Strides.Length || tensor.Offset < 0 || tensor.Strides.Any(s => s < 0))
            throw new InputException(place, "a shape without strides", "a tensor");
        for (int d = 0; d < tensor.Sizes.Length; d++) last += (Int128)(tensor.Sizes[d] - 1) * tensor.Strides[d];
        bool none = tensor.Sizes.Contains(0);
        ZipArchiveEntry entry = zip.GetEntry($"{prefix}data/{tensor.Storage.Key}") ?? throw new InputException(place, $"no member data/{tensor.Storage.Key}", "its numbers");
        long count = tensor.Storage.Count;
        if ((!none && last >= count) || entry.Length != (Int128)count * bytes)
            throw new InputException(place, $"{entry.Length} bytes for {count} numbers", $"{bytes} bytes each, and all that the tensor is made of");
        budget.Take(place, count + elements, bytes);
        using DisposeScope scope = NewDisposeScope();
        Tensor storage = zeros(count, dtype: type);
        using (Stream stream = entry.Open()) TensorBytes.Read(stream, storage);
        return storage.as_strided(tensor.Sizes, tensor.Strides, tensor.Offset).clone().MoveToOuterDisposeScope();
    }

    private static byte[] Content(ZipArchiveEntry entry, long most)
    {
        if (entry.Length > most) throw new InvalidDataException($"{entry.FullName} of {entry.Length} bytes");
        byte[] content = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>The tensors of the dictionary itself, or of its member state_dict.</summary>
    private Dictionary<string, PickledTensor> Named(object? root)
    {
        if (root is PickledMap { Items: var outer } && outer.LastOrDefault(i => i.Key is "state_dict").Value is PickledMap inner) root = inner;
        if (root is not PickledMap map) throw new InputException(path, "no dictionary", Expected);
        var named = new Dictionary<string, PickledTensor>(StringComparer.Ordinal);
        foreach ((object? key, object? value) in map.Items)
            if (key is string name && value is PickledTensor tensor) named[name] = tensor;
        return named.Count > 0 ? named : throw new InputException(path, "no tensor by name", Expected);
    }
}
