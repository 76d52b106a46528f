using System.Text;

namespace ChemScale.Engine.Files;

/// <summary>Writes made of several storage operations.</summary>
internal static class StorageWrites
{
    /// <summary>Replaces a file by new content; a crash leaves the old content or the new, never a mixture.</summary>
    public static void WriteAtomically(this IStorage storage, string path, ReadOnlySpan<byte> content)
    {
        using var file = new PendingFile(path, storage);
        file.Stream.Write(content);
        file.Complete();
    }

    /// <summary>As the other, UTF-8 without a mark.</summary>
    /// <inheritdoc cref="WriteAtomically(IStorage, string, ReadOnlySpan{byte})"/>
    public static void WriteAtomically(this IStorage storage, string path, string content) =>
        storage.WriteAtomically(path, Encoding.UTF8.GetBytes(content));

    /// <summary>Makes a file with this content, all at once; false where one of that name exists.</summary>
    public static bool TryWriteNew(this IStorage storage, string path, ReadOnlySpan<byte> content)
    {
        using var file = new PendingFile(path, storage);
        file.Stream.Write(content);
        return file.TryCompleteNew();
    }

    /// <summary>Makes a folder where there is none, and those above it, so that a crash cannot take them away again.</summary>
    public static void EnsureDirectory(this IStorage storage, string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(path)) return;
        string? parent = Path.GetDirectoryName(path);
        if (parent is not null) storage.EnsureDirectory(parent);
        storage.CreateDirectory(path);
        if (parent is not null) storage.SyncDirectory(parent);
    }
}

/// <summary>
/// A file that appears complete or not at all: written under a temporary name, flushed to the medium, renamed, its folder flushed. Given
/// up, it leaves neither itself nor a folder that was made for it; what a crash leaves is taken away when a process next writes in the folder.
/// </summary>
internal sealed class PendingFile : IDisposable
{
    private const int BufferBytes = 1 << 16;

    private readonly string path;
    private readonly string folder;
    private readonly string temporary;
    private readonly IStorage storage;
    private readonly Stream file;
    private StreamWriter? writer;
    private bool madeFolder;
    private bool renamed;
    private bool closed;

    /// <param name="path">In a folder that is there.</param>
    /// <param name="storage">Null: the disk.</param>
    public PendingFile(string path, IStorage? storage = null)
    {
        this.path = path;
        this.storage = storage ?? DiskStorage.Shared;
        folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        TemporaryNames.Clean(folder, this.storage);
        temporary = TemporaryNames.For(Path.GetFullPath(path));
        file = this.storage.Create(temporary);
        Stream = new BufferedStream(file, BufferBytes);
    }

    /// <summary>What is written to it; can be read back and sought in.</summary>
    public Stream Stream { get; }

    /// <summary>Text instead: UTF-8 without a mark.</summary>
    public StreamWriter Writer => writer ??= new StreamWriter(Stream, new UTF8Encoding(false), BufferBytes, leaveOpen: true);

    /// <summary>A file that the user names, written from others.</summary>
    /// <param name="path">To be written.</param>
    /// <param name="inputs">What is read meanwhile.</param>
    /// <exception cref="InputException">It is one of those, by whatever name, or cannot be written.</exception>
    public static PendingFile Beside(string path, IEnumerable<string> inputs)
    {
        FileStamp? there = FileStamp.Of(path);
        foreach (string input in inputs)
        {
            if (there is { } own && FileStamp.Of(input) is { } read && own.IsSameFile(read))
                throw new InputException(path, "is read and written", "another file", $"{Path.GetFileName(input)} would be lost");
        }
        return ForUser(path);
    }

    /// <summary>A file that the user names; its folder is made where it is not there.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static PendingFile ForUser(string path, IStorage? storage = null)
    {
        storage ??= DiskStorage.Shared;
        try
        {
            if (Directory.Exists(path)) throw new InputException(path, "a folder", "a file");
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            bool there = Directory.Exists(folder);
            storage.EnsureDirectory(folder);
            return new PendingFile(path, storage) { madeFolder = !there };
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(path, "cannot be written", "a file in a folder that can be written to", e.Message);
        }
    }

    /// <summary>Puts the file in place of any of its name.</summary>
    public void Complete()
    {
        Close();
        storage.ReplaceFile(temporary, path);
        renamed = true;
        storage.SyncDirectory(folder);
    }

    /// <summary>Puts the file in place; false, and it is given up, where there is one of its name.</summary>
    public bool TryCompleteNew()
    {
        Close();
        renamed = storage.TryMoveFile(temporary, path);
        if (renamed) storage.SyncDirectory(folder);
        return renamed;
    }

    public void Dispose()
    {
        if (closed && renamed) return;
        closed = true;
        try
        {
            // What is still in the buffers is not wanted.
            file.Dispose();
            if (!renamed) storage.DeleteFile(temporary);
            if (!renamed && madeFolder && !Directory.EnumerateFileSystemEntries(folder).Any()) storage.DeleteDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The reason why it was given up is on its way to the caller; the name says what it is, and the next writer takes it away.
            return;
        }
    }

    private void Close()
    {
        writer?.Flush();
        Stream.Flush();
        storage.Sync(file);
        file.Dispose();
        closed = true;
    }
}
