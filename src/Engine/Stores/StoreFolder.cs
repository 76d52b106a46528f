namespace ChemScale.Engine.Stores;

/// <summary>The file operations that writing a store needs; tests make the n-th of them fail.</summary>
internal class StoreFolder
{
    /// <summary>A new file, for writing and reading back.</summary>
    public virtual Stream Create(string path) => new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

    public virtual void Move(string from, string to) => File.Move(from, to, overwrite: false);

    /// <summary>To the disk, not only to the system's cache: a rename must not overtake its data.</summary>
    public virtual void Flush(Stream stream)
    {
        if (stream is FileStream file) file.Flush(flushToDisk: true);
        else stream.Flush();
    }
}
