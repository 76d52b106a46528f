using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using ChemScale.Engine.Files;
using Microsoft.Win32.SafeHandles;

namespace ChemScale.Engine.Training.Runs;

/// <summary>
/// The right to write to a run directory. Claims are numbered files <c>claim.N</c>, made whole in one step; the highest counts, and its
/// time of last modification is its heartbeat. Taking over claim N means creating N + 1, which only one can: no lock is ever waited for,
/// and a crash at any point leaves a directory that can be claimed.
/// </summary>
/// <remarks>
/// Hosts that share a directory need not agree on the time. By the clocks a claim is only refused or put in doubt; one in doubt is taken
/// over when its heartbeat has not changed while it was watched (<see cref="ClaimWatch"/>).
/// </remarks>
public sealed class RunClaim : IDisposable
{
    /// <summary>A claim silent for this long may be taken over, once it was watched.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(30), LookEvery = TimeSpan.FromSeconds(1);

    private readonly string directory;
    private readonly IStorage storage;
    private readonly TimeProvider time;
    private readonly int number;
    private readonly SafeFileHandle file;
    private readonly ITimer timer;
    private DateTime lastBeat;

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

    /// <param name="directory">Of the run.</param>
    /// <param name="storage">Where the claim is written.</param>
    /// <param name="time">For heartbeats.</param>
    /// <param name="watch">
    /// What the caller, who comes again, has seen so far; null: a claim that may be abandoned is watched here and now.
    /// </param>
    /// <param name="waiting">Told, in a line, that it is.</param>
    /// <param name="stop">Ends the watching.</param>
    /// <exception cref="RunClaimedException">Somebody else is writing there, or may be.</exception>
    public static RunClaim Take(
        string directory, IStorage storage, TimeProvider time, ClaimWatch? watch = null, Action<string>? waiting = null, CancellationToken stop = default)
    {
        string token = Guid.NewGuid().ToString("N");
        while (true)
        {
            int[] numbers = Numbers(directory);
            int highest = numbers.Length > 0 ? numbers.Max() : 0;
            if (highest > 0) RequireAbandoned(directory, highest, time, watch, waiting, stop);
            int mine = highest + 1;
            byte[] content = JsonSerializer.SerializeToUtf8Bytes(new Content(ProcessIdentity.Current, token, time.GetUtcNow()));
            // False: somebody was quicker, so look again at what they wrote; or a network file system gave the answer to the second try.
            if (!storage.TryWriteNew(PathOf(directory, mine), content) && ReadContent(directory, mine)?.Token != token) continue;
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
    /// <param name="directory">Of the run.</param>
    /// <param name="watch">What the caller, who comes again, has seen so far; null: the clocks decide, which is good for a look only.</param>
    public static ClaimHolder? HolderOf(string directory, ClaimWatch? watch = null)
    {
        try
        {
            int[] numbers = Directory.Exists(directory) ? Numbers(directory) : [];
            return numbers.Length > 0 ? Holder(directory, numbers.Max(), TimeProvider.System, watch) : null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Call before every rename and append.</summary>
    /// <exception cref="RunClaimLostException">The claim was taken over, or it or the whole directory is gone.</exception>
    public void EnsureHeld()
    {
        int[] numbers;
        try
        {
            numbers = Numbers(directory);
        }
        catch (DirectoryNotFoundException)
        {
            throw new RunClaimLostException(directory, "the folder is gone: deleted, moved or renamed while the run was writing to it");
        }
        int highest = numbers.Length > 0 ? numbers.Max() : 0;
        if (highest == number && ReadContent(directory, number)?.Token == Token) return;
        throw new RunClaimLostException(directory, ReadContent(directory, highest) is { } successor
            ? $"taken over by process {successor.Owner.Pid} on {successor.Owner.Host}"
            : $"the claim is gone: somebody deleted {Path.GetFileName(PathOf(number))}, or another folder is in this one's place");
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
            if (file.IsClosed) return;
            // Others look for a change, so there is one even where the clock stands.
            DateTime now = time.GetUtcNow().UtcDateTime;
            if (now == lastBeat) now += TimeSpan.FromMilliseconds(1);
            File.SetLastWriteTimeUtc(file, now);
            lastBeat = now;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // One missed beat is no loss; if they all fail, another process takes over and EnsureHeld says so.
            return;
        }
    }

    private static void RequireAbandoned(
        string directory, int number, TimeProvider time, ClaimWatch? watch, Action<string>? waiting, CancellationToken stop)
    {
        ClaimWatch watching = watch ?? new ClaimWatch(time);
        bool told = false;
        while (Holder(directory, number, time, watching) is { Abandoned: false } holder)
        {
            string seconds = Math.Abs(holder.Silent.TotalSeconds).ToString("0", CultureInfo.InvariantCulture);
            string last = $"last sign of life {(holder.Silent < TimeSpan.Zero ? $"dated {seconds} s ahead" : $"{seconds} s ago")}";
            if (!holder.IsDoubtful) throw new RunClaimedException(directory, $"{holder} is writing there ({last})");
            if (watch is not null) throw new RunClaimedException(directory, $"{holder} may be writing there ({last}; being watched)");
            if (!told) waiting?.Invoke($"{directory}: {holder} was writing there ({last}); waiting {ClaimWatch.Length.TotalMinutes:0} minutes to see whether it still is");
            told = true;
            Task.Delay(LookEvery, time, stop).GetAwaiter().GetResult();
        }
    }

    private static ClaimHolder? Holder(string directory, int number, TimeProvider time, ClaimWatch? watch)
    {
        string path = PathOf(directory, number);
        // Read first: opening a file makes a network file system ask for what else is known of it.
        Content? content = ReadContent(directory, number);
        DateTime beat = File.GetLastWriteTimeUtc(path);
        if (!File.Exists(path)) return null;
        string sign = string.Create(CultureInfo.InvariantCulture, $"{number} {content?.Token} {beat.Ticks}");
        // Until its owner's first beat a claim has the file server's time.
        if (content is not null && content.Claimed.UtcDateTime > beat) beat = content.Claimed.UtcDateTime;
        var holder = new ClaimHolder(content?.Owner, time.GetUtcNow().UtcDateTime - beat, Abandoned: false);
        bool still = watch?.IsStill(directory, sign) ?? holder.Silent >= Silence;
        return holder with { Abandoned = (content?.Owner.IsKnownDead() ?? false) || (still && holder.IsDoubtful) };
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

/// <summary>Who holds a claim.</summary>
/// <param name="Owner">Null where the claim cannot be read.</param>
/// <param name="Silent">Since its last sign of life, if its clock and this one agree; negative where that lies ahead.</param>
/// <param name="Abandoned">Its process is known to be dead, or it has shown no sign of life for too long: it may be taken over.</param>
public sealed record ClaimHolder(ProcessIdentity? Owner, TimeSpan Silent, bool Abandoned)
{
    // Hosts whose clocks are kept agree to far less.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    /// <summary>By the clocks it may be abandoned, or they do not agree: only watching it tells.</summary>
    internal bool IsDoubtful => Silent >= RunClaim.Silence || Silent < -Tolerance;

    public override string ToString() => Owner is null ? "somebody" : $"process {Owner.Pid} on {Owner.Host}";
}

/// <summary>
/// What one process has seen of claims that others hold. Clocks may be wrong, by hours and on either side; whether a claim's heartbeat
/// changes while it is watched does not depend on them.
/// </summary>
/// <param name="time">Null: the system's.</param>
public sealed class ClaimWatch(TimeProvider? time = null)
{
    /// <summary>
    /// A doubtful claim that has not changed for this long is abandoned: four heartbeats, or two behind a network file system that shows
    /// changes a minute late.
    /// </summary>
    public static readonly TimeSpan Length = TimeSpan.FromMinutes(2);

    private readonly TimeProvider time = time ?? TimeProvider.System;
    private readonly ConcurrentDictionary<string, (string Sign, long Since)> seen = new(StringComparer.Ordinal);

    /// <summary>True once a directory's sign of life has been the same for <see cref="Length"/>.</summary>
    internal bool IsStill(string directory, string sign)
    {
        long now = time.GetTimestamp();
        (_, long since) = seen.AddOrUpdate(directory, (sign, now), (_, before) => before.Sign == sign ? before : (sign, now));
        return time.GetElapsedTime(since, now) >= Length;
    }
}
