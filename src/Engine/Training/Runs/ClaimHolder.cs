using System.Collections.Concurrent;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Training.Runs;

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
