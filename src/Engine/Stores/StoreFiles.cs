using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Stores;

/// <summary>Reads a store's files whole and says what is wrong with them, one after another.</summary>
/// <param name="folder">The store.</param>
/// <param name="manifest">What its files should be.</param>
/// <param name="wrong">Gets every problem; it may throw.</param>
/// <param name="stop">Ends the reading.</param>
internal sealed class StoreFiles(string folder, Manifest manifest, Action<InputException> wrong, CancellationToken stop)
{
    /// <exception cref="InputException">The file is missing or of another size.</exception>
    public static void CheckSize(string folder, StoredFile file)
    {
        FileInfo info = new(Path.Combine(folder, file.Name));
        if (!info.Exists) throw new InputException(info.FullName, "is missing", $"{file.Bytes} bytes", StoreNames.Damaged);
        if (info.Length != file.Bytes) throw new InputException(info.FullName, $"{info.Length} bytes", $"{file.Bytes} bytes", StoreNames.Damaged);
    }

    /// <param name="name">Of a file that the manifest knows.</param>
    /// <param name="look">Sees its parts; what it throws counts only where the checksum is right, for a wrong one says more.</param>
    /// <returns>Whether it is sound.</returns>
    public bool IsSound(string name, FilePart? look = null)
    {
        StoredFile file = manifest.Files.First(file => file.Name == name);
        InputException? inside = null;
        InputException? fault = FileChecksum.Fault(Path.Combine(folder, name), file.Sha256, "as the manifest says", StoreNames.Damaged, Look, stop) ?? inside;
        if (fault is not null) wrong(fault);
        return fault is null;

        void Look(ReadOnlySpan<byte> part, long at)
        {
            if (inside is not null || look is null) return;
            try
            {
                look(part, at);
            }
            catch (InputException e)
            {
                inside = e;
            }
        }
    }
}

/// <summary>A file written from front to back while its size and SHA-256 are taken.</summary>
internal sealed class ChecksummedFile(IStorage storage, string directory, string name) : IDisposable
{
    private const int BufferBytes = 1 << 18;

    private readonly Stream stream = storage.Create(Path.Combine(directory, name));
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] buffer = new byte[BufferBytes];
    private int buffered;
    private long bytes;

    public void Write<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        while (bytes.Length > 0)
        {
            int part = Math.Min(bytes.Length, BufferBytes - buffered);
            bytes[..part].CopyTo(buffer.AsSpan(buffered));
            buffered += part;
            bytes = bytes[part..];
            if (buffered == BufferBytes) Empty();
        }
    }

    /// <summary>Everything on the disk.</summary>
    public StoredFile Complete()
    {
        Empty();
        storage.Sync(stream);
        return new StoredFile(name, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    public void Dispose()
    {
        stream.Dispose();
        hash.Dispose();
    }

    private void Empty()
    {
        stream.Write(buffer, 0, buffered);
        hash.AppendData(buffer, 0, buffered);
        bytes += buffered;
        buffered = 0;
    }
}
