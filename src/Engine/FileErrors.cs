namespace ChemScale.Engine;

/// <summary>Tells errors of the file system that are the user's to mend by another path from those that are nobody's mistake.</summary>
public static class FileErrors
{
    // errno of Linux and macOS; the code of Windows.
    private const int NoSpace = 28, QuotaLinux = 122, QuotaMac = 69, DiskFullWindows = unchecked((int)0x80070070);

    /// <summary>The path cannot be read or written: missing, forbidden, of another kind.</summary>
    public static bool IsRefusal(Exception e) => e is UnauthorizedAccessException || (e is IOException && !IsFull(e));

    /// <summary>The disk or the quota is used up: the same command works when there is room.</summary>
    public static bool IsFull(Exception e) => e is IOException && e.HResult is NoSpace or QuotaLinux or QuotaMac or DiskFullWindows;
}
