using System.Globalization;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Trainings that are killed, stopped and damaged end as if nothing had happened.</summary>
[Platform("Linux,MacOsX", Reason = "sends signals")]
public sealed class CrashTests
{
    private const int Steps = 360;

    private static readonly string[] Length = ["--steps", $"{Steps}", "--batch", "4", "--validate-every", "90 steps", "--checkpoint-every", "6 steps"];

    private string reference = "";

    [OneTimeSetUp]
    public void Train_without_interruption()
    {
        Outcome outcome = CommandLine.Here(Workplace.Train("uninterrupted", Length));
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        reference = Workplace.In("uninterrupted");
    }

    [Test]
    public void A_training_killed_at_random_moments_ends_with_the_same_bits()
    {
        int seed = Environment.TickCount;
        TestContext.Out.WriteLine($"moments of seed {seed}");
        var random = new Random(seed);
        string run = Workplace.In("killed");
        int kills = 0;
        for (int attempt = 0; attempt < 3; attempt++)
        {
            int moment = attempt * Steps / 3 + random.Next(Steps / 4);
            RunningCommand training = CommandLine.Start(Workplace.Train("killed", [.. Length, "--resume"]));
            training.Await(() => NewestCheckpoint(run) > moment);
            Thread.Sleep(random.Next(30));
            training.Signal("KILL");
            // A kill that comes after the end, however the process was left, finds a whole run: nothing may follow there.
            if (training.Wait().ExitCode == 0 || File.Exists(Path.Combine(run, "DONE"))) continue;
            kills++;
            // As if the crash had come after these were written and before the next checkpoint.
            File.AppendAllText(Path.Combine(run, "metrics.csv"), $"0,{Steps - 1},9.5,,\n0,{Steps - 1},");
            File.AppendAllText(Path.Combine(run, "metrics.jsonl"), "{\"kind\":\"step\",\"epoch\":0");
        }
        Expect.AtLeast(kills, 2, "the trainings ended before they could be killed");
        Outcome last = CommandLine.Here("train", "--out", run, "--resume");
        Assert.That(last.ExitCode, Is.Zero, last.ToString());
        AssertSameAsReference(run);
    }

    [Test]
    public void A_training_stopped_by_signals_says_so_and_ends_with_the_same_bits()
    {
        string run = Workplace.In("stopped");
        string[] arguments = Workplace.Train("stopped", [.. Length, "--resume"]);
        RunningCommand first = CommandLine.Start(arguments);
        Assert.That(first.Await(() => NewestCheckpoint(run) > 30), Is.True);
        // While it runs, nobody else may write there.
        BadInputTests.Refused(arguments);
        first.Signal("TERM");
        Outcome stopped = first.Wait();
        Assert.That(stopped.ExitCode, Is.EqualTo(143), stopped.ToString());
        int terminated = NewestCheckpoint(run);
        Assert.That(RowsOfSteps(run), Is.EqualTo(terminated), "a checkpoint of the very last step");

        RunningCommand second = CommandLine.Start("train", "--out", run, "--resume");
        Assert.That(second.Await(() => NewestCheckpoint(run) > terminated + 30), Is.True);
        second.Signal("INT");
        Assert.That(second.Wait().ExitCode, Is.EqualTo(130));
        Assert.That(RowsOfSteps(run), Is.EqualTo(NewestCheckpoint(run)));

        // A terminal that is closed.
        int interrupted = NewestCheckpoint(run);
        RunningCommand third = CommandLine.Start("train", "--out", run, "--resume");
        Assert.That(third.Await(() => NewestCheckpoint(run) > interrupted + 10), Is.True);
        third.Signal("HUP");
        Assert.That(third.Wait().ExitCode, Is.EqualTo(143));
        Assert.That(RowsOfSteps(run), Is.EqualTo(NewestCheckpoint(run)));

        Outcome last = CommandLine.Here("train", "--out", run, "--resume", "--json");
        Assert.That(last.ExitCode, Is.Zero, last.ToString());
        AssertSameAsReference(run);
    }

    [Test]
    public void A_run_is_resumed_only_when_asked_and_only_as_the_experiment_it_is()
    {
        string run = Workplace.PutAside("aside");
        Dictionary<string, byte[]> before = Workplace.Content(run);
        string[] same = ["--steps", "12", "--validate-every", "4 steps"];
        BadInputTests.Refused(Workplace.Train("aside", same));
        Assert.That(BadInputTests.Refused([.. Workplace.Train("aside", same), "--resume", "--batch", "16"]).Error, Does.Contain("training.batchSize: 16 instead of default"));
        BadInputTests.Refused(["train", "--out", run, "--resume", "--width", "32"]);
        BadInputTests.Refused(["train", "--out", run, "--resume", "--experiment", Workplace.Write("other.yaml", "model: {family: chemgpt}\ntraining: {steps: 3}")]);
        Assert.That(Workplace.Content(run), Is.EqualTo(before));
        Assert.That(CommandLine.Here([.. Workplace.Train("aside", same), "--resume"]).ExitCode, Is.Zero);
        AssertSameResult(run, Workplace.CompleteRun);
    }

    [Test]
    public void A_damaged_newest_checkpoint_is_warned_of_and_the_one_before_serves()
    {
        string run = Workplace.PutAside("damaged");
        Flip(run, 0, "model.safetensors");
        Outcome generated = CommandLine.Here("generate", "--run", run, "--count", "1", "--max-tokens", "8", "--out", Workplace.In("from-damaged"));
        Assert.That(generated.ExitCode, Is.Zero, generated.ToString());
        Assert.That(generated.ErrorLines[0], Does.StartWith("chemscale: warning: checkpoint step-000000010 is damaged"));
        Outcome outcome = CommandLine.Here("train", "--out", run, "--resume");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.ErrorLines[0], Does.StartWith("chemscale: warning: checkpoint step-000000010 is damaged"));
        AssertSameResult(run, Workplace.CompleteRun);
    }

    [TestCase("model.safetensors"), TestCase("training.safetensors"), TestCase("state.json"), TestCase("SHA256SUMS")]
    public void When_every_checkpoint_is_damaged_nothing_is_touched(string file)
    {
        string run = Workplace.PutAside($"ruined-{file}");
        Flip(run, 0, file);
        Flip(run, 1, file);
        Dictionary<string, byte[]> before = Workplace.Content(run);
        BadInputTests.Refused(["train", "--out", run, "--resume"]);
        BadInputTests.Refused(["generate", "--run", run, "--out", Workplace.In("refused")]);
        Assert.That(Workplace.Content(run), Is.EqualTo(before));
    }

    [Test]
    public void Resuming_where_no_run_is_begins_none_that_nobody_described()
    {
        Outcome nothing = BadInputTests.Refused(["train", "--out", Workplace.In("no-run"), "--resume"]);
        Assert.That(nothing.Error, Does.Contain("no experiment.yaml").And.Contain("HINT"));
        Assert.That(Directory.Exists(Workplace.In("no-run")), Is.False);
        BadInputTests.Refused(["train", "--out", Workplace.In("no-run"), "--resume", "--threads", "1", "--checkpoint-every", "never"]);
        string run = Workplace.PutAside("no-experiment");
        File.Delete(Path.Combine(run, "experiment.yaml"));
        Assert.That(BadInputTests.Refused(["train", "--out", run, "--resume"]).Error, Does.Contain("no experiment.yaml"));
        Assert.That(BadInputTests.Refused([.. Workplace.Train("no-experiment", "--epochs", "1"), "--resume"]).Error, Does.Contain("no experiment.yaml"));
    }

    [TestCase(64), TestCase(100), TestCase(50)]
    public void Too_few_file_descriptors_are_told_in_one_line(int limit)
    {
        Outcome outcome = CommandLine.Bash($"ulimit -n {limit}; exec \"$@\"", "train", "--out", Workplace.In("few"), "--steps", "1");
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines,
            Is.EqualTo(new[] { $"chemscale: file descriptors: at most {limit}; expected at least 160. HINT: ulimit -n 1024, or ask who sets the limit" }));
    }

    [Test]
    public void A_checkpoint_that_cannot_be_read_is_not_called_damaged_and_nothing_older_is_taken()
    {
        string run = Workplace.PutAside("unreadable");
        string file = Path.Combine(Checkpoints(run)[0], "state.json");
        File.Delete(file);
        // Whoever runs the tests may be allowed to read everything; a link to itself nobody can follow.
        File.CreateSymbolicLink(file, file);
        Dictionary<string, byte[]> before = Workplace.Content(Checkpoints(run)[1]);
        foreach (string[] command in (string[][])[["train", "--out", run, "--resume"], ["generate", "--run", run, "--out", Workplace.In("from-unreadable")]])
        {
            Outcome outcome = BadInputTests.Refused(command);
            Assert.That(outcome.Error, Does.Contain("cannot be read").And.Contain("nothing older is taken").And.Not.Contain("damaged"));
        }
        Assert.That(Workplace.Content(Checkpoints(run)[1]), Is.EqualTo(before));
    }

    [Test]
    public void Where_nothing_more_can_be_written_a_training_keeps_its_last_checkpoint()
    {
        // A limit on file sizes stands for the disk: no checkpoint fits below it, the checkpoints that are there stay.
        string run = Workplace.PutAside("full");
        string newest = Checkpoints(run)[0];
        Dictionary<string, byte[]> before = Workplace.Content(newest);
        Outcome outcome = CommandLine.Bash("trap '' XFSZ; ulimit -f 100; export DOTNET_EnableWriteXorExecute=0; exec \"$@\"", "train", "--out", run, "--resume");
        Assert.That(outcome.ExitCode, Is.EqualTo(1), outcome.ToString());
        Assert.That(outcome.ErrorLines.Count(line => line.StartsWith("chemscale: ", StringComparison.Ordinal)), Is.EqualTo(1), outcome.ToString());
        Assert.That(outcome.Error, Does.Not.Contain("   at "));
        Assert.That(Workplace.Content(newest), Is.EqualTo(before));
        Assert.That(CommandLine.Here("train", "--out", run, "--resume").ExitCode, Is.Zero);
        AssertSameResult(run, Workplace.CompleteRun);
    }

    [Test]
    public void Output_that_cannot_be_written_is_told_and_messages_that_cannot_be_are_not_missed()
    {
        if (!File.Exists("/dev/full")) Assert.Ignore("no /dev/full here");
        Outcome full = CommandLine.Bash("echo CCO | \"$@\" > /dev/full", "convert");
        Assert.That(full.ExitCode, Is.EqualTo(1), full.ToString());
        Assert.That(full.ErrorLines, Has.Length.EqualTo(1));
        Outcome mute = CommandLine.Bash("exec \"$@\" 2> /dev/full", Workplace.Train("mute", "--steps", "2"));
        Assert.That(mute.ExitCode, Is.Zero, mute.ToString());
    }

    private void AssertSameAsReference(string run) => AssertSameResult(run, reference);

    private static void AssertSameResult(string run, string reference)
    {
        Assert.That(File.ReadAllText(Path.Combine(run, "metrics.csv")), Is.EqualTo(File.ReadAllText(Path.Combine(reference, "metrics.csv"))));
        string ours = Checkpoints(run)[0], theirs = Checkpoints(reference)[0];
        Assert.That(Path.GetFileName(ours), Is.EqualTo(Path.GetFileName(theirs)));
        foreach (string file in (string[])["model.safetensors", "training.safetensors"])
            Assert.That(File.ReadAllBytes(Path.Combine(ours, file)), Is.EqualTo(File.ReadAllBytes(Path.Combine(theirs, file))), file);
        Assert.That(File.ReadLines(Path.Combine(run, "metrics.jsonl")).Count(), Is.EqualTo(File.ReadLines(Path.Combine(reference, "metrics.jsonl")).Count()));
    }

    /// <summary>Changes one byte in the middle of a file of a checkpoint; 0 is the newest.</summary>
    private static void Flip(string run, int checkpoint, string file)
    {
        string path = Path.Combine(Checkpoints(run)[checkpoint], file);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 3] ^= 0x10;
        File.WriteAllBytes(path, bytes);
    }

    private static string[] Checkpoints(string run) =>
        Directory.Exists(Path.Combine(run, "checkpoints")) ? [.. Directory.GetDirectories(Path.Combine(run, "checkpoints"), "step-*").OrderDescending()] : [];

    private static int NewestCheckpoint(string run) =>
        Checkpoints(run) is [var newest, ..] ? int.Parse(Path.GetFileName(newest)["step-".Length..], CultureInfo.InvariantCulture) : 0;

    private static int RowsOfSteps(string run) => File.ReadLines(Path.Combine(run, "metrics.csv")).Skip(1).Count(row => row.Split(',')[2].Length > 0);
}
