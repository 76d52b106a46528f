using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>
/// Writes arrays as numpy's .npz, compressed, under a temporary name until <see cref="Complete"/>. The same arrays give the same bytes:
/// members carry a fixed date.
/// </summary>
public sealed class NpzWriter : IDisposable
{
    private const int HeaderAlignment = 64;

    private static readonly DateTimeOffset Date = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PendingFile _file;
    private readonly ZipArchive _zip;

    /// <exception cref="InputException">The file cannot be written.</exception>
    public NpzWriter(string path)
    {
        _file = PendingFile.ForUser(path);
        _zip = new ZipArchive(_file.Stream, ZipArchiveMode.Create, leaveOpen: true);
    }

    public void Add(string name, ReadOnlySpan<double> values, params ReadOnlySpan<long> shape) => Add(name, "<f8", values, shape);

    public void Add(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) => Add(name, "<f4", values, shape);

    public void Add(string name, ReadOnlySpan<int> values, params ReadOnlySpan<long> shape) => Add(name, "<i4", values, shape);

    public void Add(string name, ReadOnlySpan<byte> values, params ReadOnlySpan<long> shape) => Add(name, "|u1", values, shape);

    /// <summary>One text, as numpy's array of no dimensions.</summary>
    public void Add(string name, string text) => Add<byte>(name, $"<U{text.Length}", new UTF32Encoding(false, false).GetBytes(text), []);

    /// <summary>Renames the file into place.</summary>
    public void Complete()
    {
        _zip.Dispose();
        _file.Complete();
    }

    /// <summary>Gives up what was not completed.</summary>
    public void Dispose()
    {
        // Not the archive: given up, it would write its directory, to a disk that may just have failed.
        _file.Dispose();
    }

    private void Add<T>(string name, string type, ReadOnlySpan<T> values, ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        ZipArchiveEntry entry = _zip.CreateEntry(name + ".npy", CompressionLevel.SmallestSize);
        entry.LastWriteTime = Date;
        using Stream stream = entry.Open();
        string sizes = shape.Length == 1 ? $"({shape[0]},)" : $"({string.Join(", ", shape.ToArray())})";
        StringBuilder header = new($"{{'descr': '{type}', 'fortran_order': False, 'shape': {sizes}, }}");
        int padding = HeaderAlignment - (10 + header.Length + 1) % HeaderAlignment;
        header.Append(' ', padding % HeaderAlignment).Append('\n');
        byte[] start = [0x93, .. "NUMPY"u8, 1, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(start.AsSpan(8), (ushort)header.Length);
        stream.Write(start);
        stream.Write(Encoding.ASCII.GetBytes(header.ToString()));
        stream.Write(MemoryMarshal.AsBytes(values));
    }
}
