using System.Globalization;
using System.Runtime.InteropServices;

namespace ChemScale.Engine.Files;

/// <summary>
/// Which file a path names and how it is: another file of the same content has another stamp, and so has a file whose content changed. The
/// time of change cannot be set by a program (Linux; elsewhere the time of creation stands in for it).
/// </summary>
/// <param name="Device">The file system as this machine numbers it; 0 where the platform does not say.</param>
/// <param name="Inode">Number within it; on other platforms than Linux the time of creation.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
/// <param name="Changed">Nanoseconds since 1970.</param>
internal readonly partial record struct FileStamp(ulong Device, ulong Inode, long Length, long Modified, long Changed)
{
    /// <summary>The later of both times.</summary>
    public long Latest => Math.Max(Modified, Changed);

    /// <summary>Of a file or folder, links followed; null where there is none.</summary>
    /// <exception cref="IOException">It cannot be asked about.</exception>
    public static unsafe FileStamp? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            if (!info.Exists) return null;
            long created = (info.CreationTimeUtc - DateTime.UnixEpoch).Ticks * 100;
            return new FileStamp(0, (ulong)created, (info as FileInfo)?.Length ?? 0, (info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * 100, created);
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
        return new FileStamp(device, *(ulong*)(found + 32), *(long*)(found + 40), Time(found + 112), Time(found + 96));
    }

    /// <summary>The same file, whatever was written to it since.</summary>
    public bool IsSameFile(FileStamp other) => Device == other.Device && Inode == other.Inode;

    /// <summary>Without the device, which has another number on every machine that shares the folder.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Length} {Modified} {Changed} {Inode}");

    private static unsafe long Time(byte* at) => *(long*)at * 1_000_000_000 + *(uint*)(at + 8);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* found);
}
