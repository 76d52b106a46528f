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
