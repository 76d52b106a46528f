using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Files;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

public class ResumeTests
{
    private static readonly Func<ITrainingTask>[] Tasks = [() => new RegressionTask(dropout: 0.3), () => new CharacterTask()];

    [Test]
    public void A_run_stopped_at_random_steps_ends_bit_identical_to_one_that_was_not([Values(0, 1)] int task, [Values(1, 2, 3)] int seed)
    {
        using var folder = new TemporaryFolder();
        TrainingResult whole = ToyRuns.Run(folder["whole"], ToyRuns.EverythingOn, Tasks[task]);
        Assert.That(whole.Reason, Is.EqualTo(StopReason.Completed));
        Assert.That(whole.Steps, Is.EqualTo(12));

        var random = new Random(seed);
        TrainingResult result;
        long stop = 0;
        do
        {
            stop += random.Next(1, 6);
            result = ToyRuns.Run(folder["parts"], ToyRuns.EverythingOn, Tasks[task],
                new TrainerOptions { Resume = true, StopAtStep = stop });
            Assert.That(result.Steps, Is.EqualTo(Math.Min(stop, 12)));
        }
        while (!result.IsComplete);

        AssertSame(folder["whole"], folder["parts"]);
        Assert.That(result with { Seconds = 0 }, Is.EqualTo(whole with { Seconds = 0 }));
    }

    [TestCase(5)]
    [TestCase(1, Category = "Slow")]
    public void A_run_that_crashes_at_any_disk_operation_can_be_resumed_to_the_same_end(int stride)
    {
        using var folder = new TemporaryFolder(inMemory: true);
        TrainingSpec training =
            ToyRuns.EverythingOn with { Epochs = 2, CheckpointInterval = Interval.Steps(1), ValidationInterval = Interval.Epochs(1) };
        ToyRuns.Run(folder["whole"], training, () => new RegressionTask());
        int crashes = 0;
        for (int n = 1; ; n += stride, crashes++)
        {
            string run = folder[$"crash-{n}"];
            var time = new ManualTime();
            var storage = new FaultyStorage(n);
            using (var task = new RegressionTask())
            {
                try
                {
                    Trainer.Run(ToyRuns.Of(training), task, new RunDirectory(run, storage, time));
                }
                catch (Exception e) when (e is FaultyStorage.InjectedFault or Engine.InputException)
                {
                    Assert.That(storage.Failed, Is.True);
                }
            }
            if (!storage.Failed) break;
            storage.LoseUnsynced();
            time.Advance(RunClaim.Silence + TimeSpan.FromSeconds(10));
            using (var task = new RegressionTask())
            {
                TrainingResult result =
                    Trainer.Run(ToyRuns.Of(training), task, new RunDirectory(run, time: time), new TrainerOptions { Resume = true });
                Assert.That(result.Reason, Is.EqualTo(StopReason.Completed), $"crash at operation {n}");
            }
            AssertSame(folder["whole"], run);
            Assert.That(Directory.GetDirectories(Path.Combine(run, "checkpoints")).Select(Path.GetFileName),
                Is.EquivalentTo(Directory.GetDirectories(Path.Combine(folder["whole"], "checkpoints")).Select(Path.GetFileName)),
                $"crash at operation {n}");
            Directory.Delete(run, recursive: true);
        }
        Expect.Above(crashes, 100 / stride);
    }

    [TestCase(Fault.Once)]
    [TestCase(Fault.Lasting)]
    public void Whatever_write_flush_or_rename_fails_a_run_is_not_done_keeps_a_checkpoint_and_resumes_to_the_bit(Fault fault)
    {
        using var folder = new TemporaryFolder(inMemory: true);
        TrainingSpec training = ToyRuns.EverythingOn with { Epochs = null, Steps = 3, CheckpointInterval = Interval.Steps(1), ValidationInterval = Interval.Steps(1) };
        ToyRuns.Run(folder["whole"], training, () => new RegressionTask());
        int failures = 0, survived = 0;
        for (int n = 1; ; n++)
        {
            string run = folder[$"{n}"];
            var time = new ManualTime();
            var storage = new FaultyStorage(n, fault);
            Exception? failure = null;
            using (var task = new RegressionTask())
            {
                try
                {
                    Trainer.Run(ToyRuns.Of(training), task, new RunDirectory(run, storage, time));
                }
                catch (Exception e)
                {
                    failure = e;
                }
            }
            if (!storage.Failed) break;
            if (failure is null)
            {
                // Nothing is left to be written: the claim falls silent.
                Assert.That(storage.FailedOperation, Does.Contain("DeleteFile of claim.1"));
                survived++;
                continue;
            }
            failures++;
            Assert.That(failure, Is.TypeOf<FaultyStorage.InjectedFault>(), storage.FailedOperation);
            // A disk that takes nothing more does not let go of a name either.
            bool named = fault == Fault.Lasting && storage.FailedOperation.EndsWith("SyncDirectory of " + n, StringComparison.Ordinal);
            if (!named) Assert.That(File.Exists(Path.Combine(run, "DONE")), Is.False, storage.FailedOperation);
            if (storage.Named.Any(name => name.StartsWith("step-", StringComparison.Ordinal)))
            {
                Assert.That(new RunDirectory(run).Checkpoints().OpenNewest(Assert.Fail), Is.Not.Null, storage.FailedOperation);
            }
            time.Advance(RunClaim.Silence + TimeSpan.FromSeconds(10));
            using (var task = new RegressionTask())
                Trainer.Run(ToyRuns.Of(training), task, new RunDirectory(run, time: time), new TrainerOptions { Resume = true });
            AssertSame(folder["whole"], run);
            Assert.That(Directory.GetFiles(run, "*", SearchOption.AllDirectories)
                .Where(f => f.EndsWith(".partial", StringComparison.Ordinal) && !f.Contains("claim.", StringComparison.Ordinal)),
                Is.Empty, storage.FailedOperation);
            Directory.Delete(run, recursive: true);
        }
        Expect.Above(failures, 100);
        Assert.That(survived, Is.EqualTo(1));
    }

    [TestCase("metrics.csv")]
    [TestCase("metrics.jsonl")]
    [TestCase("events.out.tfevents.*")]
    [TestCase("checkpoints")]
    public void A_run_whose_files_somebody_deletes_midway_is_not_done(string pattern)
    {
        using var folder = new TemporaryFolder();
        using var task = new RegressionTask { BeforeBatch = b => { if (b == 9) Delete(folder["run"], pattern); } };
        Experiment experiment = ToyRuns.Of(ToyRuns.EverythingOn with { CheckpointInterval = Interval.Steps(1) });
        Assert.That(() => Trainer.Run(experiment, task, new RunDirectory(folder["run"])), pattern == "checkpoints" ? Throws.Nothing
            : Throws.TypeOf<RunFilesLostException>().With.Message.Contains(pattern.Split('.')[0]).And.Message.Contains("was deleted while the run was writing to it"));
        // Checkpoints are written again.
        Assert.That(new RunDirectory(folder["run"]).IsDone, Is.EqualTo(pattern == "checkpoints"));
    }

    [Test]
    public void A_run_whose_files_somebody_replaces_or_changes_midway_is_not_done()
    {
        using var folder = new TemporaryFolder();
        string csv = Path.Combine(folder["replaced"], "metrics.csv");
        using (var task = new RegressionTask
        {
            BeforeBatch = b =>
            { if (b == 9) { byte[] same = File.ReadAllBytes(csv); File.Delete(csv); File.WriteAllText(csv + "2", ""); File.WriteAllBytes(csv, same); } }
        })
            Assert.That(() => Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn), task, new RunDirectory(folder["replaced"])),
                Throws.TypeOf<RunFilesLostException>().With.Message.Contains("was replaced"));
        csv = Path.Combine(folder["changed"], "metrics.csv");
        using (var task = new RegressionTask { BeforeBatch = b => { if (b == 9) File.AppendAllText(csv, "1,2,3,,\n"); } })
            Assert.That(() => Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn), task, new RunDirectory(folder["changed"])),
                Throws.TypeOf<RunFilesLostException>().With.Message.Contains("somebody else changed it"));
        string experiment = Path.Combine(folder["edited"], "experiment.yaml");
        using (var task = new RegressionTask { BeforeBatch = b => { if (b == 9) File.AppendAllText(experiment, "# mine\n"); } })
            Assert.That(() => Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn), task, new RunDirectory(folder["edited"])),
                Throws.TypeOf<RunFilesLostException>().With.Message.Contains("experiment.yaml: was changed"));
        Assert.That(Directory.GetFiles(folder.Path, "DONE", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public void A_run_whose_folder_is_moved_away_amid_its_checkpoints_says_that_it_is_gone()
    {
        using var folder = new TemporaryFolder();
        using var task = new RegressionTask { BeforeBatch = b => { if (b == 9) Directory.Move(folder["run"], folder["moved"]); } };
        Assert.That(() => Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn with { CheckpointInterval = Interval.Steps(1) }), task, new RunDirectory(folder["run"])),
            Throws.TypeOf<RunClaimLostException>().With.Message.Contains("deleted, moved or renamed"));
        Assert.That(Directory.GetFiles(folder.Path, "DONE", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public void What_its_model_needs_is_written_again_where_somebody_deletes_it_and_missed_where_it_was_changed()
    {
        using var folder = new TemporaryFolder();
        var run = new RunDirectory(folder["run"]);
        Directory.CreateDirectory(run.Path);
        run.ModelFiles.Keep(new Dictionary<string, byte[]> { ["tokenizer.json"] = [1, 2] }, false, Assert.Fail);
        string file = Path.Combine(run.Path, "model", "tokenizer.json");
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        var said = new List<string>();
        run.EnsureKept(said.Add);
        Assert.That(said, Has.Count.EqualTo(2));
        Assert.That(run.ModelFiles.Read()["tokenizer.json"], Is.EqualTo(new byte[] { 1, 2 }));
        File.WriteAllBytes(file, [3]);
        Assert.That(() => run.EnsureKept(said.Add), Throws.TypeOf<RunFilesLostException>().With.Message.Contains(file));
    }

    [Test]
    public void What_a_run_carries_is_written_again_where_somebody_deletes_it()
    {
        using var folder = new TemporaryFolder();
        ToyRuns.Run(folder["whole"], ToyRuns.EverythingOn, () => new RegressionTask());
        using var task = new RegressionTask { BeforeBatch = b => { if (b == 9) { Delete(folder["run"], "experiment.yaml"); Delete(folder["run"], "carried"); } } };
        var warnings = new List<string>();
        Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn), task, new RunDirectory(folder["run"]),
            new TrainerOptions { Warn = warnings.Add, Begin = run => run.Keep("carried", () => [1, 2, 3]) });
        Assert.That(warnings, Has.Exactly(2).Contains("written again").And.Exactly(2).Items);
        Assert.That(File.ReadAllText(Path.Combine(folder["run"], "experiment.yaml")), Is.EqualTo(File.ReadAllText(Path.Combine(folder["whole"], "experiment.yaml"))));
        Assert.That(File.ReadAllBytes(Path.Combine(folder["run"], "carried")), Is.EqualTo((byte[])[1, 2, 3]));
        AssertSame(folder["whole"], folder["run"]);
    }

    [Test]
    public void A_best_checkpoint_that_somebody_spoils_is_no_part_of_a_complete_run()
    {
        using var folder = new TemporaryFolder();
        string checkpoints = Path.Combine(folder["run"], "checkpoints");
        // The last validation is worse than the one before: nothing writes the best again.
        using var task = new RegressionTask { ValidationLoss = n => n == 1 ? 0.1 : 1 };
        task.BeforeBatch = b =>
        {
            if (b != 30) return;
            string weights = Directory.GetFiles(checkpoints, "model.safetensors", SearchOption.AllDirectories).Single(f => f.Contains("best-", StringComparison.Ordinal));
            CheckpointTests.FlipByte(weights, 300);
        };
        Assert.That(() => Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn), task, new RunDirectory(folder["run"])),
            Throws.TypeOf<RunFilesLostException>().With.Message.Contains("best-"));
        Assert.That(File.Exists(Path.Combine(folder["run"], "DONE")), Is.False);
    }

    [Test]
    public void What_a_run_is_to_carry_and_cannot_be_written_ends_it_before_it_begins()
    {
        using var folder = new TemporaryFolder();
        using var task = new RegressionTask { BeforeBatch = _ => Assert.Fail("trained") };
        Directory.CreateDirectory(Path.Combine(folder["run"], "facts.json"));
        Assert.That(() => Trainer.Run(
            ToyRuns.Of(ToyRuns.EverythingOn), task, new RunDirectory(folder["run"]), new TrainerOptions { Begin = run => run.Keep("facts.json", () => [1]) }),
            Throws.InstanceOf<IOException>().Or.InstanceOf<UnauthorizedAccessException>());
        Assert.That(File.Exists(Path.Combine(folder["run"], "DONE")), Is.False);
    }

    private static void Delete(string run, string pattern)
    {
        foreach (string file in Directory.GetFiles(run, pattern)) File.Delete(file);
        if (Directory.Exists(Path.Combine(run, pattern))) Directory.Delete(Path.Combine(run, pattern), recursive: true);
    }

    [Test]
    public void Rows_written_after_the_checkpoint_are_cut()
    {
        using var folder = new TemporaryFolder();
        TrainingSpec training = ToyRuns.EverythingOn with { CheckpointInterval = Interval.Steps(5) };
        ToyRuns.Run(folder["whole"], training, () => new RegressionTask());
        using (var dying = new RegressionTask { BeforeBatch = b => { if (b == 27) throw new InvalidOperationException("killed"); } })
            Assert.That(() => Trainer.Run(ToyRuns.Of(training), dying, new RunDirectory(folder["killed"])),
                Throws.InvalidOperationException);
        // What a process that went on a little longer would have left behind.
        File.AppendAllText(Path.Combine(folder["killed"], "metrics.csv"), "3,7,0.1,,\n3,8,0.1,,\n3,9,0.");
        ToyRuns.Run(folder["killed"], training, () => new RegressionTask(), new TrainerOptions { Resume = true });
        AssertSame(folder["whole"], folder["killed"]);
    }

    [Test]
    public void A_damaged_newest_checkpoint_is_passed_over_with_a_warning()
    {
        using var folder = new TemporaryFolder();
        ToyRuns.Run(folder["whole"], ToyRuns.EverythingOn, () => new RegressionTask());
        ToyRuns.Run(folder["damaged"], ToyRuns.EverythingOn, () => new RegressionTask(), new TrainerOptions { StopAtStep = 8 });
        CheckpointTests.FlipByte(Path.Combine(folder["damaged"], "checkpoints", "step-000000008", "training.safetensors"), 700);
        var warnings = new List<string>();
        TrainingResult result = ToyRuns.Run(folder["damaged"], ToyRuns.EverythingOn, () => new RegressionTask(),
            new TrainerOptions { Resume = true, Warn = warnings.Add });
        Assert.That(result.IsComplete);
        Assert.That(warnings, Has.Exactly(1).Contains("step-000000008 is damaged").And.Exactly(1).Items);
        AssertSame(folder["whole"], folder["damaged"]);
    }

    [Test]
    public void A_resumed_run_that_is_complete_gives_its_result_without_training()
    {
        using var folder = new TemporaryFolder();
        TrainingResult first = ToyRuns.Run(folder["run"], ToyRuns.EverythingOn, () => new RegressionTask());
        using var task = new RegressionTask { BeforeBatch = _ => Assert.Fail("trained") };
        var directory = new RunDirectory(folder["run"]);
        TrainingResult again = Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn), task, directory, new TrainerOptions { Resume = true });
        Assert.That(again, Is.EqualTo(first));
    }

    [Test]
    public void A_directory_with_a_run_is_refused_unless_resumed_with_the_same_experiment()
    {
        using var folder = new TemporaryFolder();
        ToyRuns.Run(folder["run"], ToyRuns.EverythingOn, () => new RegressionTask(), new TrainerOptions { StopAtStep = 1 });
        string before = ToyRuns.Csv(folder["run"]);
        Assert.That(() => ToyRuns.Run(folder["run"], ToyRuns.EverythingOn, () => new RegressionTask()),
            Throws.TypeOf<Engine.InputException>().With.Message.Contains("unfinished run"));
        TrainingSpec other = ToyRuns.EverythingOn with { LearningRate = 1 };
        Assert.That(() => ToyRuns.Run(folder["run"], other, () => new RegressionTask(), new TrainerOptions { Resume = true }),
            Throws.TypeOf<Engine.InputException>().With.Message.Contains("training.learningRate: 1 instead of 0.01"));
        Assert.That(ToyRuns.Csv(folder["run"]), Is.EqualTo(before));
        Directory.CreateDirectory(folder["foreign"]);
        File.WriteAllText(Path.Combine(folder["foreign"], "metrics.csv"), "somebody's");
        Assert.That(() => ToyRuns.Run(folder["foreign"], ToyRuns.EverythingOn, () => new RegressionTask()),
            Throws.TypeOf<Engine.InputException>());
        Assert.That(ToyRuns.Csv(folder["foreign"]), Is.EqualTo("somebody's"));
    }

    [Test]
    public void Cancelling_writes_a_checkpoint_of_that_very_step()
    {
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        using var task = new RegressionTask { BeforeBatch = b => { if (b == 9) cancel.Cancel(); } };
        Experiment experiment = ToyRuns.Of(ToyRuns.EverythingOn with { CheckpointInterval = Interval.Never });
        TrainingResult result = Trainer.Run(experiment, task, new RunDirectory(folder["run"]),
            new TrainerOptions { CancellationToken = cancel.Token });
        Assert.That(result.Reason, Is.EqualTo(StopReason.Cancelled));
        Assert.That(result.Steps, Is.EqualTo(3));
        Assert.That(result.Checkpoint, Is.EqualTo("step-000000003"));
        Assert.That(File.Exists(Path.Combine(folder["run"], "DONE")), Is.False);
    }

    private static void AssertSame(string expected, string actual)
    {
        Assert.That(ToyRuns.Csv(actual), Is.EqualTo(ToyRuns.Csv(expected)));
        Assert.That(ToyRuns.Tensors(actual), Is.EqualTo(ToyRuns.Tensors(expected)));
        Assert.That(Losses(actual), Is.EqualTo(Losses(expected)));
        Assert.That(ToyRuns.Best(actual), Is.EqualTo(ToyRuns.Best(expected)));
        ModelFiles carried = new RunDirectory(actual).ModelFiles, whole = new RunDirectory(expected).ModelFiles;
        Assert.That(carried.Exist ? carried.Read() : null, Is.EqualTo(whole.Exist ? whole.Read() : null));
    }

    // Everything in a line that is no time.
    private static readonly string[] Compared =
        ["kind", "epoch", "step", "train_loss", "val_loss", "learning_rate", "gradient_norm", "frames", "frames_seen", "tokens_seen"];

    private static string[] Losses(string run) =>
    [
        .. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(l => System.Text.Json.Nodes.JsonNode.Parse(l)!)
            .Select(j => string.Join(' ', Compared.Select(key => j[key]))),
    ];
}
