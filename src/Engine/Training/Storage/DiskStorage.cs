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
        // Not File.Move without overwriting: on Unix that looks first and renames then, and two can pass between.
        if (OperatingSystem.IsWindows()) return TryCreateExclusively(path, content);
        string temporary = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllBytes(temporary, content);
        int result = Link(temporary, path);
        int error = Marshal.GetLastPInvokeError();
        File.Delete(temporary);
        if (result == 0) return true;
        const int Exists = 17;
        // Any other error: a file system without links. There the name is as exclusive, only the content comes a moment later.
        return error != Exists && TryCreateExclusively(path, content);
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

    private static bool TryCreateExclusively(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            stream.Write(content);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
