using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Stores;

/// <summary>A file written from front to back while its size and SHA-256 are taken.</summary>
internal sealed class ChecksummedFile(IStorage storage, string directory, string name) : IDisposable
{
    private const int BufferBytes = 1 << 18;

    private readonly Stream _stream = storage.Create(Path.Combine(directory, name));
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _buffered;
    private long _bytes;

    public void Write<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        while (bytes.Length > 0)
        {
            int part = Math.Min(bytes.Length, BufferBytes - _buffered);
            bytes[..part].CopyTo(_buffer.AsSpan(_buffered));
            _buffered += part;
            bytes = bytes[part..];
            if (_buffered == BufferBytes) Empty();
        }
    }

    /// <summary>Everything on the disk.</summary>
    public StoredFile Complete()
    {
        Empty();
        storage.Sync(_stream);
        return new StoredFile(name, _bytes, Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    public void Dispose()
    {
        _stream.Dispose();
        _hash.Dispose();
    }

    private void Empty()
    {
        _stream.Write(_buffer, 0, _buffered);
        _hash.AppendData(_buffer, 0, _buffered);
        _bytes += _buffered;
        _buffered = 0;
    }
}
