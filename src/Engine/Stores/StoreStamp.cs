using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Stores;

/// <summary>
/// Remembers that a store was read whole and found sound, so that it need not be again: a text with the identity of every file and
/// the checksum it had. It stands for nothing else: any difference, or no stamp, and the store is read again.
/// </summary>
internal sealed class StoreStamp
{
    public const string FileName = ".verified";

    /// <summary>Of the rules that a store was found to follow: a higher one makes all be read again.</summary>
    private const int Rules = 1;

    /// <summary>
    /// A file younger than this may change again without another time: file systems count in steps of up to two seconds, measured here on
    /// their own clock.
    /// </summary>
    private const long SettledNanoseconds = 2_000_000_000;

    private readonly string folder;
    private readonly string text;
    private readonly long latest;

    private StoreStamp(string folder, string text, long latest)
    {
        this.folder = folder;
        this.text = text;
        this.latest = latest;
    }

    /// <summary>Calls <paramref name="verify"/> unless the store is as it was when that last succeeded.</summary>
    /// <param name="folder">The store.</param>
    /// <param name="names">Of its kind.</param>
    /// <param name="manifest">What its files should be.</param>
    /// <param name="manifestSha256">Of the manifest as it was read.</param>
    /// <param name="verify">Throws where something is wrong.</param>
    /// <param name="settled">Nanoseconds that the youngest file must be older than.</param>
    public static void Ensure(
        string folder, StoreNames names, Manifest manifest, string manifestSha256, Action verify, long settled = SettledNanoseconds)
    {
        StoreStamp? before = Of(folder, names, manifest, manifestSha256);
        if (before is not null && before.IsKept()) return;
        verify();
        // A store that changed meanwhile is sound as it was read, not as it is.
        if (before is not null && Of(folder, names, manifest, manifestSha256)?.text == before.text) before.Keep(settled);
    }

    private static StoreStamp? Of(string folder, StoreNames names, Manifest manifest, string manifestSha256)
    {
        var text = new StringBuilder($"chemscale verified {Rules}\n");
        long latest = 0;
        foreach ((string name, string sha256) in manifest.Files.Select(f => (f.Name, f.Sha256)).Prepend((names.Manifest, manifestSha256)))
        {
            if (Stamp(Path.Combine(folder, name)) is not { } file) return null;
            text.Append(name).Append(' ').Append(file.ToString()).Append(' ').Append(sha256).Append('\n');
            latest = Math.Max(latest, file.Latest);
        }
        return new StoreStamp(folder, text.ToString(), latest);
    }

    /// <summary>Null also where the file cannot be asked about: verifying says why.</summary>
    private static FileStamp? Stamp(string path)
    {
        try
        {
            return FileStamp.Of(path);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private bool IsKept() => Places().Any(place =>
    {
        try
        {
            return File.Exists(place) && File.ReadAllText(place) == text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    /// <summary>Without a stamp the next opening is slower and nothing else, so that no failure here matters.</summary>
    private void Keep(long settled)
    {
        foreach (string place in Places())
        {
            string temporary = $"{place}.{Guid.NewGuid():N}";
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                File.WriteAllText(temporary, text);
                if (FileStamp.Of(temporary) is { } now && now.Latest - latest > settled) File.Move(temporary, place, overwrite: true);
                else File.Delete(temporary);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The folder is read-only: the user's own place is next.
                continue;
            }
        }
    }

    /// <summary>In the store, for all who share it; else in the user's cache folder, by path, inode and device.</summary>
    private IEnumerable<string> Places()
    {
        yield return Path.Combine(folder, FileName);
        string cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        string full = Path.GetFullPath(folder);
        if (cache.Length == 0 || Stamp(full) is not { } file) yield break;
        string key = FileChecksum.Of(Encoding.UTF8.GetBytes($"{full}\n{file.Inode}\n{file.Device}"));
        yield return Path.Combine(cache, "chemscale", "verified", key);
    }
}
