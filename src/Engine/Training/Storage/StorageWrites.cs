namespace ChemScale.Engine.Training.Storage;

/// <summary>Writes made of several storage operations.</summary>
public static class StorageWrites
{
    /// <summary>Replaces a file by new content; a crash leaves the old content or the new, never a mixture.</summary>
    public static void WriteAtomically(this IStorage storage, string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".partial";
        using (Stream stream = storage.Create(temporary))
        {
            stream.Write(content);
            storage.Sync(stream);
        }
        storage.ReplaceFile(temporary, path);
        storage.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
