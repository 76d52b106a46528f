using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>
/// Writes arrays as numpy's .npz, compressed, under a temporary name until <see cref="Complete"/>. The same arrays give the same bytes:
/// members carry a fixed date.
/// </summary>
public sealed class NpzWriter : IDisposable
{
    private const int HeaderAlignment = 64;

    private static readonly DateTimeOffset Date = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _path;
    private readonly string _temporary;
    private readonly ZipArchive _zip;
    private bool _closed;

    /// <exception cref="InputException">The folder cannot be written.</exception>
    public NpzWriter(string path)
    {
        _path = path;
        _temporary = path + ".incomplete";
        try
        {
            _zip = new ZipArchive(File.Create(_temporary), ZipArchiveMode.Create);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be written", "a file", e.Message);
        }
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
        _closed = true;
        File.Move(_temporary, _path, overwrite: true);
    }

    /// <summary>Gives up what was not completed.</summary>
    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        _zip.Dispose();
        File.Delete(_temporary);
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
