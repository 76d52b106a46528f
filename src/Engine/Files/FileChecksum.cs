using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace ChemScale.Engine.Files;

/// <summary>Sees a part of a file that is being read.</summary>
/// <param name="part">Bytes; all parts but the last are of <see cref="FileChecksum.PartBytes"/>.</param>
/// <param name="at">Where in the file they stand.</param>
internal delegate void FilePart(ReadOnlySpan<byte> part, long at);

/// <summary>SHA-256 of whole files, and lists of them in the format of <c>sha256sum</c>, so that anybody can check.</summary>
internal static class FileChecksum
{
    /// <summary>A multiple of every number's size.</summary>
    public const int PartBytes = 1 << 20;

    public const string ListName = "SHA256SUMS";

    private const int Digits = 64;

    /// <summary>Reads a file once, from front to back.</summary>
    /// <param name="path">The file.</param>
    /// <param name="look">Sees every part, after its sum was taken.</param>
    /// <param name="stop">Ends the reading within a part.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string Of(string path, FilePart? look = null, CancellationToken stop = default)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PartBytes);
        try
        {
            for (long at = 0; ;)
            {
                stop.ThrowIfCancellationRequested();
                int filled = 0;
                for (int read = 1; filled < PartBytes && read > 0; filled += read)
                    read = RandomAccess.Read(file, buffer.AsSpan(filled, PartBytes - filled), at + filled);
                if (filled == 0) break;
                hash.AppendData(buffer, 0, filled);
                look?.Invoke(buffer.AsSpan(0, filled), at);
                at += filled;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>A line of a list.</summary>
    public static string Line(string sha256, string name) => $"{sha256}  {name}\n";

    /// <summary>Names and sums of a list, every byte of which must be as <see cref="Line"/> writes it.</summary>
    /// <exception cref="InputException">A line that is none.</exception>
    public static IReadOnlyDictionary<string, string> ReadList(string path)
    {
        string text = Encoding.UTF8.GetString(File.ReadAllBytes(path));
        var sums = new Dictionary<string, string>(StringComparer.Ordinal);
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length - 1; i++)
        {
            string line = lines[i];
            bool whole = line.Length > Digits + 2 && line.AsSpan(Digits, 2) is "  " && !line.AsSpan(0, Digits).ContainsAnyExcept("0123456789abcdef")
                && sums.TryAdd(line[(Digits + 2)..], line[..Digits]);
            if (!whole) throw new InputException($"{path}:{i + 1}", "no checksum and name", "64 hexadecimal digits, two spaces and a file's name");
        }
        return lines[^1].Length == 0 ? sums : throw new InputException(path, "ends within a line", "lines of checksums and names");
    }

    /// <summary>What is wrong with a file of a list; null where nothing is.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sha256">As the list says.</param>
    /// <param name="expected">Says where the sum stands.</param>
    /// <param name="hint">What to do about it.</param>
    /// <param name="look">Sees every part.</param>
    /// <param name="stop">Ends the reading.</param>
    public static InputException? Fault(
        string path, string sha256, string expected, string hint = "", FilePart? look = null, CancellationToken stop = default)
    {
        try
        {
            if (!File.Exists(path)) return new InputException(path, "is missing", expected, hint);
            string found = Of(path, look, stop);
            return found == sha256 ? null : new InputException(path, $"SHA-256 {found}", $"{sha256}, {expected}", hint);
        }
        catch (InputException e)
        {
            return e;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new UnreadableException(path, expected, e);
        }
    }
}

/// <summary>A file that could not be read, which says nothing of what it holds.</summary>
internal sealed class UnreadableException(string path, string expected, Exception reason)
    : InputException(path, "cannot be read", expected, reason.Message);
