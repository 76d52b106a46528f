using System.Globalization;
using System.Text.Json;
using ChemScale.Engine.Training.Storage;
using Microsoft.Win32.SafeHandles;

namespace ChemScale.Engine.Training.Runs;

/// <summary>
/// The right to write to a run directory. Claims are numbered files <c>claim.N</c>, made whole in one step; the highest counts, and its
/// time of last modification is its heartbeat. Taking over claim N means creating N + 1, which only one can: no lock is ever waited for,
/// and a crash at any point leaves a directory that can be claimed.
/// </summary>
/// <remarks>Hosts that share directories are taken to agree on the time to within a minute or so.</remarks>
public sealed class RunClaim : IDisposable
{
    /// <summary>A claim silent for this long may be taken over.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(30);

    private readonly string directory;
    private readonly IStorage storage;
    private readonly TimeProvider time;
    private readonly int number;
    private readonly SafeFileHandle file;
    private readonly ITimer timer;

    private RunClaim(string directory, IStorage storage, TimeProvider time, int number, string token)
    {
        this.directory = directory;
        this.storage = storage;
        this.time = time;
        this.number = number;
        Token = token;
        // The handle follows the file, so that a late beat never touches a successor's claim.
        file = File.OpenHandle(PathOf(number), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        Beat();
        timer = time.CreateTimer(_ => Beat(), null, BeatEvery, BeatEvery);
    }

    /// <summary>Unique to this claim.</summary>
    public string Token { get; }

    /// <exception cref="RunClaimedException">Somebody else is writing there.</exception>
    public static RunClaim Take(string directory, IStorage storage, TimeProvider time)
    {
        string token = Guid.NewGuid().ToString("N");
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(new Content(ProcessIdentity.Current, token, time.GetUtcNow()));
        while (true)
        {
            int[] numbers = Numbers(directory);
            int highest = numbers.Length > 0 ? numbers.Max() : 0;
            if (highest > 0) RequireAbandoned(directory, highest, time);
            int mine = highest + 1;
            // False: somebody was quicker; look again at what they wrote.
            if (!storage.TryCreateNew(PathOf(directory, mine), content)) continue;
            // A listing made amid somebody's take-over may miss both the old claim and the new; by now the new one shows.
            if (Numbers(directory).Max() > mine)
            {
                storage.DeleteFile(PathOf(directory, mine));
                continue;
            }
            foreach (int old in numbers) storage.DeleteFile(PathOf(directory, old));
            return new RunClaim(directory, storage, time, mine, token);
        }
    }

    /// <summary>Who holds a directory, seen from outside; null where nobody does.</summary>
    public static ClaimHolder? HolderOf(string directory, TimeProvider? time = null)
    {
        try
        {
            int[] numbers = Directory.Exists(directory) ? Numbers(directory) : [];
            return numbers.Length > 0 ? Holder(directory, numbers.Max(), time ?? TimeProvider.System) : null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Call before every rename and append.</summary>
    /// <exception cref="RunClaimLostException">The claim was taken over.</exception>
    public void EnsureHeld()
    {
        int[] numbers = Numbers(directory);
        int highest = numbers.Length > 0 ? numbers.Max() : 0;
        if (highest == number && ReadContent(directory, number)?.Token == Token) return;
        throw new RunClaimLostException(directory, ReadContent(directory, highest) is { } successor
            ? $"taken over by process {successor.Owner.Pid} on {successor.Owner.Host}"
            : "the claim is gone");
    }

    /// <summary>Gives the directory free. A storage that no longer works leaves the claim to fall silent.</summary>
    public void Dispose()
    {
        timer.Dispose();
        if (file.IsClosed) return;
        file.Dispose();
        try
        {
            if (ReadContent(directory, number)?.Token == Token) storage.DeleteFile(PathOf(number));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whatever stopped the run is already on its way to the caller; the claim expires by itself.
            return;
        }
    }

    internal void Beat()
    {
        try
        {
            if (!file.IsClosed) File.SetLastWriteTimeUtc(file, time.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // One missed beat is no loss; if they all fail, another process takes over and EnsureHeld says so.
            return;
        }
    }

    private static void RequireAbandoned(string directory, int number, TimeProvider time)
    {
        if (Holder(directory, number, time) is not { Abandoned: false } holder) return;
        string seconds = Math.Max(0, holder.Silent.TotalSeconds).ToString("0", CultureInfo.InvariantCulture);
        throw new RunClaimedException(directory, $"{holder} is writing there (last sign of life {seconds} s ago)");
    }

    private static ClaimHolder? Holder(string directory, int number, TimeProvider time)
    {
        string path = PathOf(directory, number);
        DateTime beat = File.GetLastWriteTimeUtc(path);
        Content? content = ReadContent(directory, number);
        if (!File.Exists(path)) return null;
        // Until its owner's first beat a claim has the file server's time.
        if (content is not null && content.Claimed.UtcDateTime > beat) beat = content.Claimed.UtcDateTime;
        TimeSpan silent = time.GetUtcNow().UtcDateTime - beat;
        return new ClaimHolder(content?.Owner, silent, silent >= Silence || (content?.Owner.IsKnownDead() ?? false));
    }

    private static Content? ReadContent(string directory, int number)
    {
        try
        {
            return JsonSerializer.Deserialize<Content>(File.ReadAllBytes(PathOf(directory, number)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    private static int[] Numbers(string directory) =>
    [
        .. Directory.EnumerateFiles(directory, "claim.*")
            .Select(f => int.TryParse(Path.GetFileName(f)[6..], NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0)
            .Where(n => n > 0),
    ];

    private static string PathOf(string directory, int number) => Path.Combine(directory, $"claim.{number}");

    private string PathOf(int n) => PathOf(directory, n);

    private sealed record Content(ProcessIdentity Owner, string Token, DateTimeOffset Claimed);
}
