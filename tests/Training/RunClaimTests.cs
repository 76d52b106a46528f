using System.Diagnostics;
using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Engine.Files;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

public class RunClaimTests
{
    private readonly ManualTime time = new();

    [Test]
    public void A_second_writer_is_refused_while_the_first_lives()
    {
        using var folder = new TemporaryFolder();
        using (RunClaim first = Take(folder))
        {
            Assert.That(() => Take(folder), Throws.TypeOf<RunClaimedException>()
                .With.Message.Contains($"process {Environment.ProcessId} on {Environment.MachineName}"));
            time.Advance(RunClaim.Silence - TimeSpan.FromSeconds(1));
            Assert.That(() => Take(folder), Throws.TypeOf<RunClaimedException>());
            time.FireTimers();
            time.Advance(RunClaim.Silence - TimeSpan.FromSeconds(1));
            Assert.That(() => Take(folder), Throws.TypeOf<RunClaimedException>(), "the heartbeat did not count");
            Assert.That(first.EnsureHeld, Throws.Nothing);
        }
        Assert.That(Directory.GetFiles(folder.Path), Is.Empty);
        Assert.That(() => Take(folder).Dispose(), Throws.Nothing);
    }

    [Test]
    public void Five_silent_minutes_give_the_directory_away_and_the_loser_knows()
    {
        using var folder = new TemporaryFolder();
        using RunClaim first = Take(folder);
        time.Advance(RunClaim.Silence);
        using RunClaim second = Take(folder);
        Assert.That(second.EnsureHeld, Throws.Nothing);
        Assert.That(first.EnsureHeld, Throws.TypeOf<RunClaimLostException>().With.Message.Contains("taken over by process"));
        // A late beat of the loser keeps nothing alive, its end releases nothing.
        time.Advance(RunClaim.Silence);
        first.Beat();
        using RunClaim third = Take(folder);
        first.Dispose();
        Assert.That(third.EnsureHeld, Throws.Nothing);
        Assert.That(second.EnsureHeld, Throws.TypeOf<RunClaimLostException>());
    }

    [Test]
    public void A_loser_does_not_hold_again_what_its_successor_gave_free()
    {
        using var folder = new TemporaryFolder();
        using RunClaim first = Take(folder);
        time.Advance(RunClaim.Silence);
        Take(folder).Dispose();
        Assert.That(first.EnsureHeld, Throws.TypeOf<RunClaimLostException>());
        using RunClaim again = Take(folder);
        Assert.That(first.EnsureHeld, Throws.TypeOf<RunClaimLostException>());
    }

    [Test]
    public void A_dead_process_of_this_host_is_succeeded_at_once()
    {
        using var folder = new TemporaryFolder();
        using (var process = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!)
        {
            process.WaitForExit();
            WriteClaim(folder, ProcessIdentity.Current with { Pid = process.Id, Started = "1" });
        }
        using RunClaim claim = Take(folder);
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_process_id_that_is_used_again_counts_as_dead_and_another_host_never_does()
    {
        using var folder = new TemporaryFolder();
        WriteClaim(folder, ProcessIdentity.Current with { Started = "before" });
        Take(folder).Dispose();
        ProcessIdentity[] strangers =
        [
            ProcessIdentity.Current with { Host = "elsewhere", Pid = 1, Started = "" },
            ProcessIdentity.Current with { PidSpace = "container", Pid = 1 },
            ProcessIdentity.Current with { User = "hidden", Pid = 1 },
        ];
        foreach (ProcessIdentity elsewhere in strangers)
        {
            WriteClaim(folder, elsewhere);
            Assert.That(() => Take(folder), Throws.TypeOf<RunClaimedException>().With.Message.Contains("process 1 on"));
        }
    }

    [Test]
    public void Of_many_that_want_an_abandoned_directory_one_gets_it()
    {
        using var folder = new TemporaryFolder();
        for (int round = 0; round < 20; round++)
        {
            RunClaim abandoned = Take(folder);
            time.Advance(RunClaim.Silence);
            var claims = new RunClaim?[8];
            using var barrier = new Barrier(claims.Length);
            Thread[] threads = [.. Enumerable.Range(0, claims.Length).Select(i => new Thread(() =>
            {
                barrier.SignalAndWait();
                try
                {
                    claims[i] = Take(folder);
                }
                catch (InputException)
                {
                    claims[i] = null;
                }
            }))];
            foreach (Thread thread in threads) thread.Start();
            foreach (Thread thread in threads) thread.Join();
            Assert.That(claims.Count(c => c is not null), Is.EqualTo(1), $"round {round}");
            claims.Single(c => c is not null)!.Dispose();
            abandoned.Dispose();
        }
    }

    [Test]
    public void A_trainer_that_lost_its_directory_stops_without_writing()
    {
        using var folder = new TemporaryFolder();
        RunClaim? thief = null;
        string seen = "";
        using var task = new RegressionTask();
        task.BeforeBatch = batch =>
        {
            if (batch != 20) return;
            time.Advance(RunClaim.Silence);
            thief = Take(folder);
            seen = Snapshot(folder);
        };
        Assert.That(() => Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn), task, new RunDirectory(folder.Path, time: time)),
            Throws.TypeOf<RunClaimLostException>());
        Assert.That(Snapshot(folder), Is.EqualTo(seen));
        Assert.That(thief!.EnsureHeld, Throws.Nothing);
        thief.Dispose();
    }

    [Test]
    public void A_place_that_cannot_be_a_folder_is_the_users_mistake()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "");
        Assert.That(() => new RunDirectory(folder["file"]).Claim(), Throws.TypeOf<InputException>());
        Assert.That(() => new RunDirectory(Path.Combine(folder["file"], "below")).Claim(), Throws.TypeOf<InputException>());
        Assert.That(() => new RunDirectory("/proc/run").Claim(), Throws.TypeOf<InputException>());
    }

    [TestCase(-3), TestCase(3), TestCase(-1000), TestCase(1000)]
    public void A_claim_by_a_wrong_clock_is_taken_over_when_nobody_beats_and_kept_when_somebody_does(int hours)
    {
        using var folder = new TemporaryFolder();
        using RunClaim owner = Take(folder);
        time.SetClock(TimeSpan.FromHours(hours));
        var watch = new ClaimWatch(time);
        Assert.That(() => Take(folder, watch), Throws.TypeOf<RunClaimedException>().With.Message.Contains("may be writing there"));
        for (int minute = 0; minute < 20; minute++)
        {
            // The owner's clock is as wrong as it was.
            time.SetClock(TimeSpan.FromHours(-hours));
            owner.Beat();
            time.SetClock(TimeSpan.FromHours(hours));
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.That(() => Take(folder, watch), Throws.TypeOf<RunClaimedException>(), "it lives");
        }
        time.Advance(ClaimWatch.Length - TimeSpan.FromSeconds(61));
        Assert.That(() => Take(folder, watch), Throws.TypeOf<RunClaimedException>());
        time.Advance(TimeSpan.FromSeconds(62));
        using RunClaim successor = Take(folder, watch);
        Assert.That(successor.EnsureHeld, Throws.Nothing);
        Assert.That(owner.EnsureHeld, Throws.TypeOf<RunClaimLostException>());
    }

    [Test]
    public void Who_comes_once_waits_and_says_so_and_can_be_stopped()
    {
        using var folder = new TemporaryFolder();
        WriteClaim(folder, ProcessIdentity.Current with { Host = "elsewhere", Pid = 1, Started = "" });
        File.SetLastWriteTimeUtc(folder["claim.1"], time.GetUtcNow().UtcDateTime.AddYears(1));
        var said = new List<string>();
        DateTimeOffset before = time.GetUtcNow();
        using (RunClaim.Take(folder.Path, DiskStorage.Shared, time, null, said.Add)) Assert.That(said, Has.Exactly(1).Contains("ahead").And.Exactly(1).Items);
        Expect.Between((time.GetUtcNow() - before).TotalSeconds, ClaimWatch.Length.TotalSeconds, ClaimWatch.Length.TotalSeconds + 2);
        WriteClaim(folder, ProcessIdentity.Current with { Host = "elsewhere", Pid = 1, Started = "" });
        time.Advance(TimeSpan.FromHours(1));
        using var stop = new CancellationTokenSource();
        Assert.That(() => RunClaim.Take(folder.Path, DiskStorage.Shared, time, null, _ => stop.Cancel(), stop.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Heartbeats_differ_also_where_the_clock_stands()
    {
        using var folder = new TemporaryFolder();
        using RunClaim claim = Take(folder);
        DateTime first = File.GetLastWriteTimeUtc(folder["claim.1"]);
        claim.Beat();
        DateTime second = File.GetLastWriteTimeUtc(folder["claim.1"]);
        Assert.That(second, Is.Not.EqualTo(first));
    }

    [Test]
    public void A_claim_that_is_lost_says_how()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["run"]);
        using RunClaim claim = RunClaim.Take(folder["run"], DiskStorage.Shared, time);
        Directory.Move(folder["run"], folder["moved"]);
        Assert.That(claim.EnsureHeld, Throws.TypeOf<RunClaimLostException>().With.Message.Contains("the folder is gone: deleted, moved or renamed"));
        Directory.CreateDirectory(folder["run"]);
        Assert.That(claim.EnsureHeld, Throws.TypeOf<RunClaimLostException>().With.Message.Contains("another folder is in this one's place"));
    }

    [Test]
    public void What_a_crash_left_half_written_is_taken_away_with_the_claim()
    {
        using var folder = new TemporaryFolder();
        string left = folder["DONE.0123abcd-1-77-3.partial"], mine = folder["notes.partial"];
        File.WriteAllText(left, "half");
        File.WriteAllText(mine, "a user's own");
        new RunDirectory(folder.Path).Claim().Dispose();
        Assert.That(Directory.GetFiles(folder.Path), Is.EqualTo(new[] { mine }));
    }

    private static string Snapshot(TemporaryFolder folder) =>
        string.Join('\n', Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Where(f => !f.Contains("partial-")).Order()
            .Select(f => $"{f} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f)))}"));

    private RunClaim Take(TemporaryFolder folder, ClaimWatch? watch = null) => RunClaim.Take(folder.Path, DiskStorage.Shared, time, watch);

    private void WriteClaim(TemporaryFolder folder, ProcessIdentity owner)
    {
        string path = folder["claim.1"];
        File.WriteAllText(path, JsonSerializer.Serialize(new { Owner = owner, Token = "somebody", Claimed = time.GetUtcNow() }));
        File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
    }
}
