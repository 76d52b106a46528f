namespace ChemScale.Engine.Training.Storage;

/// <summary>
/// Every change a run makes to the disk goes through here, so that tests can make any one of them fail. Reading does not.
/// </summary>
public interface IStorage
{
    void CreateDirectory(string path);

    /// <summary>Makes a file with this content, all at once; false where one of that name exists.</summary>
    bool TryCreateNew(string path, ReadOnlySpan<byte> content);

    /// <summary>A new or emptied file, to be written.</summary>
    Stream Create(string path);

    /// <summary>A new or existing file cut to <paramref name="length"/> bytes, to be written on from there.</summary>
    Stream Append(string path, long length);

    /// <summary>Returns when what was written to a stream from here is on the medium.</summary>
    void Sync(Stream stream);

    /// <summary>Returns when the names in a directory are on the medium.</summary>
    void SyncDirectory(string path);

    /// <summary>Renames a file, atomically, over any file of the target's name.</summary>
    void ReplaceFile(string from, string to);

    /// <summary>Renames a directory; the target must not exist.</summary>
    void MoveDirectory(string from, string to);

    void DeleteFile(string path);

    void DeleteDirectory(string path);
}
