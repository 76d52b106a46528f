using System.Security.Cryptography;
using System.Text;

namespace ChemScale.Engine.Stores;

/// <summary>Checks of a store's files against what its manifest says.</summary>
internal static class StoreFiles
{
    /// <summary>Of the data files' checksums: the same for the same contents in the same order, wherever the folder is.</summary>
    public static string Fingerprint(IEnumerable<StoredFile> files) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Concat(files.OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => $"{file.Name} {file.Sha256}\n")))))[..16];

    /// <exception cref="InputException">The file is missing or of another size.</exception>
    public static void CheckSize(string folder, StoredFile file, string hint)
    {
        FileInfo info = new(Path.Combine(folder, file.Name));
        if (!info.Exists) throw new InputException(info.FullName, "is missing", $"{file.Bytes} bytes", hint);
        if (info.Length != file.Bytes) throw new InputException(info.FullName, $"{info.Length} bytes", $"{file.Bytes} bytes", hint);
    }

    /// <exception cref="InputException">The file holds something else, or cannot be read.</exception>
    public static void CheckContents(string folder, StoredFile file, string hint)
    {
        string path = Path.Combine(folder, file.Name);
        try
        {
            using FileStream stream = File.OpenRead(path);
            string found = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (found != file.Sha256) throw new InputException(path, $"SHA-256 {found}", file.Sha256, hint);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "a file of the store", e.Message);
        }
    }
}
