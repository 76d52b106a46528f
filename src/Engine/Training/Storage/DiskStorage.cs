using System.Runtime.InteropServices;

namespace ChemScale.Engine.Training.Storage;

/// <summary>The file system itself.</summary>
public sealed partial class DiskStorage : IStorage
{
    // Each writer gathers its own writes, so a second buffer would only delay them.
    private const int Unbuffered = 0;

    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    public bool TryCreateNew(string path, ReadOnlySpan<byte> content)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllBytes(temporary, content);
        try
        {
            // Without overwriting this is link(2) on Unix: it fails where the name exists, and nobody ever sees half a file.
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
            return false;
        }
    }

    public Stream Create(string path) => new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, Unbuffered);

    public Stream Append(string path, long length)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, Unbuffered);
        stream.SetLength(length);
        stream.Position = length;
        return stream;
    }

    public void Sync(Stream stream) => ((FileStream)stream).Flush(flushToDisk: true);

    public void SyncDirectory(string path)
    {
        // Elsewhere renames are journalled by the file system, and .NET opens no directories.
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        int descriptor = Open(path, 0);
        if (descriptor < 0) throw new IOException($"{path}: cannot open the directory (errno {Marshal.GetLastPInvokeError()})");
        try
        {
            // EINVAL: a file system that has no need of it.
            const int InvalidArgument = 22;
            if (Fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument)
                throw new IOException($"{path}: fsync failed (errno {Marshal.GetLastPInvokeError()})");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    public void ReplaceFile(string from, string to) => File.Move(from, to, overwrite: true);

    public void MoveDirectory(string from, string to) => Directory.Move(from, to);

    public void DeleteFile(string path) => File.Delete(path);

    public void DeleteDirectory(string path) => Directory.Delete(path, recursive: true);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
