namespace ChemScale.Engine.Files;

/// <summary>
/// Every change the engine makes to the disk goes through here, so that tests can make any one of them fail. Reading does not. A failure is
/// thrown, as an <see cref="IOException"/> or an <see cref="UnauthorizedAccessException"/>; none is swallowed.
/// </summary>
public interface IStorage
{
    /// <summary>A folder and those above it; nothing where it is there.</summary>
    void CreateDirectory(string path);

    /// <summary>A new or emptied file, to be written and read back.</summary>
    Stream Create(string path);

    /// <summary>A new or existing file cut to <paramref name="length"/> bytes, to be written on from there.</summary>
    Stream Append(string path, long length);

    /// <summary>An open file that one process at a time can have; null where another has it.</summary>
    Stream? TryLock(string path);

    /// <summary>Returns when what was written to a stream from here is on the medium.</summary>
    void Sync(Stream stream);

    /// <summary>Returns when the names in a directory are on the medium.</summary>
    void SyncDirectory(string path);

    /// <summary>Renames a file, atomically, over any file of the target's name.</summary>
    void ReplaceFile(string from, string to);

    /// <summary>Renames a file; false, and nothing changes, where the target's name is taken. Of several that try, one succeeds.</summary>
    bool TryMoveFile(string from, string to);

    /// <summary>Renames a directory; the target must not exist.</summary>
    void MoveDirectory(string from, string to);

    void DeleteFile(string path);

    /// <summary>A folder and all that is in it.</summary>
    void DeleteDirectory(string path);
}
