using System.Runtime.InteropServices;

namespace ChemScale.Engine.Files;

/// <summary>Which file a path names and how it is: another file of the same content has another stamp.</summary>
/// <param name="Device">File system; 0 where the platform does not say.</param>
/// <param name="Inode">Number within it; on other platforms than Linux the time of creation.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
public readonly partial record struct FileStamp(ulong Device, ulong Inode, long Length, long Modified)
{
    /// <summary>Null where there is no such file.</summary>
    /// <exception cref="IOException">It cannot be asked about.</exception>
    public static unsafe FileStamp? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            var info = new FileInfo(path);
            if (!info.Exists) return null;
            return new FileStamp(0, (ulong)info.CreationTimeUtc.Ticks, info.Length, (info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * 100);
        }
        // statx(2): the same layout on every architecture, unlike stat.
        const int CurrentFolder = -100, Basic = 0x7ff, NoEntry = 2, NoFolder = 20;
        byte* found = stackalloc byte[256];
        if (Statx(CurrentFolder, path, 0, Basic, found) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            return error is NoEntry or NoFolder ? null : throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
        }
        ulong device = ((ulong)*(uint*)(found + 136) << 32) | *(uint*)(found + 140);
        return new FileStamp(device, *(ulong*)(found + 32), *(long*)(found + 40), *(long*)(found + 112) * 1_000_000_000 + *(uint*)(found + 120));
    }

    /// <summary>The same file, whatever was written to it since.</summary>
    public bool IsSameFile(FileStamp other) => Device == other.Device && Inode == other.Inode;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* found);
}
