using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ChemScale.Engine.Files;

/// <summary>The file system itself.</summary>
internal sealed partial class DiskStorage : IStorage
{
    // Each writer gathers its own writes, so a second buffer would only delay them.
    private const int Unbuffered = 0;

    // errno of Linux. NoSynchronization: pipes, terminals, and file systems that have no need of it.
    private const int Interrupted = 4, Denied = 13, Exists = 17;
    private static readonly int[] NoSynchronization = [22, 30, 95], NoLinks = [1, 31, 38, 95], Locked = [11, 35, unchecked((int)0x80070020)];

    private DiskStorage()
    {
    }

    /// <summary>It has no state.</summary>
    public static DiskStorage Shared { get; } = new();

    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    public Stream Create(string path) => new DiskFile(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);

    public Stream Append(string path, long length)
    {
        var stream = new DiskFile(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        stream.SetLength(length);
        stream.Position = length;
        return stream;
    }

    public Stream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, Unbuffered);
        }
        catch (IOException e) when (Locked.Contains(e.HResult))
        {
            return null;
        }
    }

    public void Sync(Stream stream)
    {
        var file = (FileStream)stream;
        file.Flush();
        // Not Flush(true): on Linux that returns as if nothing were wrong when fsync fails.
        if (OperatingSystem.IsLinux()) Check(Retried(() => Fsync(file.SafeFileHandle)), file.Name, NoSynchronization);
        else file.Flush(flushToDisk: true);
    }

    public void SyncDirectory(string path)
    {
        // Elsewhere renames are journalled by the file system, and .NET opens no directories.
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        // Close on exec, so that no child process inherits it.
        int descriptor = Retried(() => Open(path, OperatingSystem.IsLinux() ? 0x80000 : 0x1000000));
        if (descriptor < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            // A folder that may be written to and not read cannot be opened, by anybody.
            if (error == Denied) return;
            throw Failure("cannot open the directory", path, error);
        }
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Check(Retried(() => Fsync(handle)), path, NoSynchronization);
    }

    public void ReplaceFile(string from, string to) => File.Move(from, to, overwrite: true);

    public bool TryMoveFile(string from, string to)
    {
        if (OperatingSystem.IsWindows()) return TryMoveOnWindows(from, to);
        // Not File.Move without overwriting: on Unix that looks first and renames then, and two can pass between.
        if (Link(from, to) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error == Exists) return false;
            if (!NoLinks.Contains(error)) throw Failure("cannot be given its name", to, error);
            // There the name is as exclusive, only the content comes a moment later.
            if (!TryCopyNew(from, to)) return false;
        }
        File.Delete(from);
        return true;
    }

    public void MoveDirectory(string from, string to) => Directory.Move(from, to);

    public void DeleteFile(string path) => File.Delete(path);

    public void DeleteDirectory(string path) => Directory.Delete(path, recursive: true);

    private static bool TryMoveOnWindows(string from, string to)
    {
        try
        {
            File.Move(from, to);
            return true;
        }
        catch (IOException) when (File.Exists(to))
        {
            return false;
        }
    }

    private static bool TryCopyNew(string from, string to)
    {
        FileStream target;
        try
        {
            target = new FileStream(to, FileMode.CreateNew, FileAccess.Write, FileShare.Read, Unbuffered);
        }
        catch (IOException) when (File.Exists(to))
        {
            return false;
        }
        using (target)
        {
            target.Write(File.ReadAllBytes(from));
            Shared.Sync(target);
        }
        return true;
    }

    private static int Retried(Func<int> call)
    {
        int result;
        do result = call();
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return result;
    }

    private static void Check(int result, string path, int[] tolerated)
    {
        if (result == 0) return;
        int error = Marshal.GetLastPInvokeError();
        if (!tolerated.Contains(error)) throw Failure("fsync failed", path, error);
    }

    private static IOException Failure(string what, string path, int error) =>
        new($"{path}: {what}: {Marshal.GetPInvokeErrorMessage(error)}", error);

    /// <summary>A limit on the size of files is as a full disk; .NET calls it an argument out of range.</summary>
    private sealed class DiskFile(string path, FileMode mode, FileAccess access, FileShare share) : FileStream(path, mode, access, share, Unbuffered)
    {
        private const int TooLarge = 27;

        // The other ways to write end here, as a derived FileStream's do.
        public override void Write(byte[] buffer, int offset, int count)
        {
            try
            {
                base.Write(buffer, offset, count);
            }
            catch (ArgumentOutOfRangeException)
            {
                throw Failure("cannot grow", Name, TooLarge);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);
}
