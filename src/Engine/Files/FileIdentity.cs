using System.Globalization;
using System.Runtime.InteropServices;

namespace ChemScale.Engine.Files;

/// <summary>
/// What the file system says of a file that changes whenever its content does: size, times of last modification and of last change, inode.
/// The time of change cannot be set by a program (Linux; elsewhere the time of creation stands in for it).
/// </summary>
/// <param name="Bytes">Size.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
/// <param name="Changed">Nanoseconds since 1970.</param>
/// <param name="Inode">0 where it is not known.</param>
/// <param name="Device">The file system as this machine numbers it; 0 where it is not known.</param>
internal readonly partial record struct FileIdentity(long Bytes, long Modified, long Changed, ulong Inode, ulong Device)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The later of both times.</summary>
    public long Latest => Math.Max(Modified, Changed);

    /// <summary>Of a file or folder, links followed; null where there is none.</summary>
    public static FileIdentity? Of(string path)
    {
        if (OperatingSystem.IsLinux()) return OfLinux(path);
        FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        if (!info.Exists) return null;
        long bytes = info is FileInfo file ? file.Length : 0;
        return new FileIdentity(bytes, Nanoseconds(info.LastWriteTimeUtc), Nanoseconds(info.CreationTimeUtc), 0, 0);
    }

    /// <summary>Without the device, which has another number on every machine that shares the folder.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Bytes} {Modified} {Changed} {Inode}");

    private static long Nanoseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks * 100;

    private static unsafe FileIdentity? OfLinux(string path)
    {
        const int WorkingDirectory = -100;
        const uint BasicFields = 0x7ff;
        byte* status = stackalloc byte[256];
        if (StatX(WorkingDirectory, path, 0, BasicFields, status) != 0) return null;
        // struct statx of the kernel's interface: the same on every architecture.
        return new FileIdentity(
            *(long*)(status + 40), Time(status + 112), Time(status + 96), *(ulong*)(status + 32),
            ((ulong)*(uint*)(status + 136) << 32) | *(uint*)(status + 140));
    }

    private static unsafe long Time(byte* at) => *(long*)at * NanosecondsPerSecond + *(uint*)(at + 8);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint mask, byte* status);
}
