using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace ChemScale.Engine.Files;

/// <summary>
/// Names of files that are not yet what they are to be: <c>NAME.PLACE-PID-START-N.partial</c>. No two processes share one, and of a name
/// that a crash left behind can be told that its process is dead.
/// </summary>
internal static partial class TemporaryNames
{
    private const int LongestName = 150;

    private static readonly string Place = Hash(ProcessIdentity.Current);
    private static readonly ConcurrentDictionary<string, bool> Cleaned = new(StringComparer.Ordinal);
    private static long count;

    /// <summary>A name beside <paramref name="path"/> that nobody else uses.</summary>
    internal static string For(string path)
    {
        ProcessIdentity me = ProcessIdentity.Current;
        string name = Path.GetFileName(path);
        if (name.Length > LongestName) name = name[..LongestName];
        return Path.Combine(Path.GetDirectoryName(path)!, $"{name}.{Place}-{me.Pid}-{Digits(me.Started)}-{Interlocked.Increment(ref count)}.partial");
    }

    public static bool Is(string path) => Pattern().IsMatch(Path.GetFileName(path));

    /// <summary>Takes away what dead processes of this machine left in a folder; once in the life of this process.</summary>
    internal static void Clean(string folder, IStorage storage)
    {
        if (Cleaned.TryAdd(folder, true)) Clean(folder, storage, IsDead);
    }

    /// <summary>
    /// Takes away what was left in a folder that is the caller's alone, also by an earlier session of this process; but not the claims that other
    /// threads are about to make.
    /// </summary>
    internal static void CleanOwned(string folder, IStorage storage) => Clean(folder, storage, static owner => !IsMine(owner) || !IsClaim(owner));

    private static void Clean(string folder, IStorage storage, Predicate<GroupCollection> isLeft)
    {
        string[] left;
        try
        {
            left = [.. Directory.EnumerateFiles(folder, "*.partial").Where(file => Pattern().Match(Path.GetFileName(file)) is { Success: true } m && isLeft(m.Groups))];
        }
        catch (Exception e) when (e is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            // A folder that may be written to and not listed; or none, which whoever writes there will say.
            return;
        }
        foreach (string file in left) storage.DeleteFile(file);
    }

    private static bool IsDead(GroupCollection owner) =>
        owner["place"].Value == Place && Digits(ProcessIdentity.StartOf(int.Parse(owner["pid"].Value)) ?? "") is var start
        && (start.Length == 0 || start != owner["start"].Value);

    private static bool IsMine(GroupCollection owner) => owner["place"].Value == Place
        && owner["pid"].Value == $"{ProcessIdentity.Current.Pid}" && owner["start"].Value == Digits(ProcessIdentity.Current.Started);

    private static bool IsClaim(GroupCollection owner) => owner["name"].Value.StartsWith("claim.", StringComparison.Ordinal);

    private static string Hash(ProcessIdentity p) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{p.Host}\n{p.PidSpace}\n{p.User}")))[..8];

    private static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    [GeneratedRegex(@"^(?<name>.*)\.(?<place>[0-9a-f]{8})-(?<pid>\d{1,9})-(?<start>\d*)-\d+\.partial$")]
    private static partial Regex Pattern();
}
