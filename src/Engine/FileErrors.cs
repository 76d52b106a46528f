namespace ChemScale.Engine;

/// <summary>Tells errors of the file system that are the user's to mend by another path from those that are nobody's mistake.</summary>
public static class FileErrors
{
    // errno: exists, not a folder, a folder, read-only, locked by another (and macOS), too many links in a path (and macOS),
    // not empty (and macOS); Windows' file exists, sharing violation, invalid name.
    private static readonly int[] Refusals =
    [
        17, 20, 21, 30, 11, 35, 40, 62, 39, 66,
        unchecked((int)0x80070050), unchecked((int)0x800700B7), unchecked((int)0x80070020), unchecked((int)0x8007007B),
    ];

    /// <summary>
    /// The path cannot be read or written: missing, forbidden, of another kind. A full disk, a device that fails and a process out of
    /// descriptors are none: the same command works when they are mended.
    /// </summary>
    public static bool IsRefusal(Exception e) => e is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException
        or DriveNotFoundException or PathTooLongException || (e is IOException && Refusals.Contains(e.HResult));

    /// <summary>The file system failed, for whatever reason: nothing that what was to be read or written is to blame for.</summary>
    public static bool IsOfTheSystem(Exception e) => e is IOException or UnauthorizedAccessException
        || (e is AggregateException all ? all.InnerExceptions.All(IsOfTheSystem) : e.InnerException is { } inner && e is not InputException && IsOfTheSystem(inner));

    /// <summary>The process, or the machine, has as many files open as it may.</summary>
    public static bool IsOutOfDescriptors(Exception e) => e is IOException { HResult: 23 or 24 } || (e.InnerException is { } inner && IsOutOfDescriptors(inner));

    /// <summary>There is a file of that name; false only where there is surely none.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder on the way may not be searched.</exception>
    public static bool Exists(string path)
    {
        // File.Exists says no also where it was not let look, and what follows would then take a run for a new one.
        try
        {
            return (File.GetAttributes(path) & FileAttributes.Directory) == 0;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException || e is IOException { HResult: NotAFolder })
        {
            return false;
        }
    }

    private const int NotAFolder = 20;
}
