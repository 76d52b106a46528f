using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ChemScale.Engine.Files;

/// <summary>Who may change a file, looked at on Linux alone: elsewhere nobody else is assumed to.</summary>
internal static unsafe partial class Ownership
{
    /// <summary>Folders whose contents are trusted whoever owns them, separated as in PATH.</summary>
    public const string Variable = "CHEMSCALE_TRUST";

    private const int Root = 0, MostLinks = 40;

    // Of linux/stat.h.
    private const int Format = 0xF000, Link = 0xA000, Folder = 0x4000, Regular = 0x8000, Sticky = 0x200, GroupWrites = 0x10, OthersWrite = 0x2;

    /// <summary>What the variable names.</summary>
    public static IEnumerable<string> TrustedFolders =>
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathFullyQualified);

    /// <summary>
    /// Why the code in a file must not be loaded: somebody but root, this user or the owner of this very program can change it, or a folder or
    /// link on the way to it.
    /// </summary>
    /// <param name="path">Of the file.</param>
    /// <returns>Null: it may be.</returns>
    public static string? Objection(string path)
    {
        if (!Path.IsPathFullyQualified(path)) return $"{path}: a relative path";
        if (!OperatingSystem.IsLinux()) return null;
        path = Path.GetFullPath(path);
        // Who can write there can replace the program itself.
        if (IsWithin(path, AppContext.BaseDirectory) || TrustedFolders.Any(folder => IsWithin(path, folder))) return null;
        uint? program = Look(AppContext.BaseDirectory, out Entry own) ? own.User : null;
        return Objection(path, user => user == Root || user == GetUser() || user == program, 0);
    }

    /// <summary>Whether a folder is this user's and nobody else can even read it.</summary>
    public static bool IsPrivate(string folder) => PrivacyObjection(folder) is null;

    /// <summary>Why a folder is not this user's alone; null: it is.</summary>
    public static string? PrivacyObjection(string folder)
    {
        if (!OperatingSystem.IsLinux()) return null;
        if (!Path.IsPathFullyQualified(folder)) return "a relative path";
        if (!Look(folder, out Entry entry)) return "it cannot be looked at";
        return PrivacyObjection(entry, Folder, "folder", "chmod 700 makes it so");
    }

    /// <summary>Opens a file in such a folder, and looks at what is open: whoever exchanges the file meanwhile gains nothing.</summary>
    /// <returns>Null: there is none, or it is not this user's alone to write.</returns>
    public static FileStream? OpenPrivate(string path)
    {
        if (!File.Exists(path) || !IsPrivate(Path.GetDirectoryName(path)!)) return null;
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (!OperatingSystem.IsLinux()) return file;
        bool seen = Look(file.SafeFileHandle, out Entry entry);
        if (seen && entry.User == GetUser() && (entry.Mode & Format) == Regular && (entry.Mode & (GroupWrites | OthersWrite)) == 0) return file;
        file.Dispose();
        return null;
    }

    private static string? PrivacyObjection(Entry entry, int kind, string what, string remedy) =>
        (entry.Mode & Format) != kind ? $"it is no {what}"
        : entry.User != GetUser() ? $"it is owned by user {entry.User}, not by this one, {GetUser()}"
        : (entry.Mode & 0x3F) != 0 ? $"others may use it (mode 0{Convert.ToString(entry.Mode & 0x1FF, 8)}); {remedy}"
        : null;

    /// <summary>Makes such a folder where there is none.</summary>
    /// <returns>False: what is there is not, or the path means another folder elsewhere.</returns>
    public static bool MakePrivate(string folder)
    {
        if (!Path.IsPathFullyQualified(folder)) return false;
        if (OperatingSystem.IsWindows()) DiskStorage.Shared.EnsureDirectory(folder);
        else if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return IsPrivate(folder);
    }

    private static string? Objection(string path, Func<uint, bool> trusted, int links)
    {
        if (links == MostLinks) return $"{path}: too many links";
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        string at = "/";
        for (int i = 0; i <= names.Length; i++)
        {
            if (i > 0) at = Path.Combine(at, names[i - 1]);
            if (!Look(at, out Entry entry)) return $"{at}: cannot be looked at";
            if (!trusted(entry.User)) return $"{at}: owned by user {entry.User}, neither root nor this one";
            if ((entry.Mode & Format) == Link)
            {
                string? target = new FileInfo(at).LinkTarget;
                if (target is null) return $"{at}: a link that cannot be read";
                string next = Path.GetFullPath(Path.Combine([Path.GetDirectoryName(at)!, target, .. names[i..]]));
                return Objection(next, trusted, links + 1);
            }
            // Of a folder with the sticky bit, as /tmp has it, nobody but their owners moves the entries. A group of the owner's own number is the owner's alone.
            bool sticky = (entry.Mode & Format) == Folder && (entry.Mode & Sticky) != 0 && i < names.Length;
            bool shared = (entry.Mode & OthersWrite) != 0 || ((entry.Mode & GroupWrites) != 0 && entry.Group != entry.User);
            if (shared && !sticky) return $"{at}: others may write to it";
        }
        return null;
    }

    private static bool IsWithin(string path, string folder) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private readonly record struct Entry(uint User, uint Group, int Mode);

    private const int BasicStats = 0x7FF;

    /// <summary>statx, whose layout is the same on every machine.</summary>
    private static bool Look(string path, out Entry entry)
    {
        const int CurrentFolder = -100, NoFollow = 0x100;
        return Look(CurrentFolder, path.Length > 1 ? Path.TrimEndingDirectorySeparator(path) : path, NoFollow, out entry);
    }

    private static bool Look(SafeFileHandle file, out Entry entry)
    {
        const int ThisOne = 0x1000;
        bool seen = Look((int)file.DangerousGetHandle(), "", ThisOne, out entry);
        GC.KeepAlive(file);
        return seen;
    }

    private static bool Look(int folder, string path, int flags, out Entry entry)
    {
        byte* stats = stackalloc byte[256];
        bool seen = StatX(folder, path, flags, BasicStats, stats) == 0;
        entry = seen ? new Entry(*(uint*)(stats + 20), *(uint*)(stats + 24), *(ushort*)(stats + 28)) : default;
        return seen;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* stats);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUser();
}
