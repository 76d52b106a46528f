using ChemScale.Engine;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Files;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

/// <summary>A run that begins with the steps of another is the run that was trained from the start, to the bit.</summary>
public class BranchingTests
{
    private static readonly TrainingSpec Trunk = ToyRuns.EverythingOn with
    {
        Epochs = 20,
        Schedule = new ScheduleSpec { WarmupSteps = 2 },
        KeepBest = false,
        ValidationInterval = Interval.Epochs(1),
    };

    private static readonly TrainingSpec Cooled = Trunk with
    {
        Epochs = null,
        Steps = 10,
        EmaDecay = null,
        Schedule = new ScheduleSpec { Kind = ScheduleKind.Cooldown, WarmupSteps = 2, Cooldown = 0.4 },
    };

    private static readonly Func<ITrainingTask>[] Tasks = [() => new RegressionTask(dropout: 0.3), () => new CharacterTask()];

    [TestCase(0, false, false), TestCase(1, false, false), TestCase(0, true, false), TestCase(0, false, true)]
    public void A_branch_ends_where_the_same_run_from_the_start_ends(int task, bool plateau, bool averaged)
    {
        using var folder = new TemporaryFolder();
        TrainingSpec trunk = plateau ? Trunk with { Schedule = Trunk.Schedule with { Kind = ScheduleKind.Plateau } } : Trunk;
        ToyRuns.Run(folder["trunk"], trunk, Tasks[task], new TrainerOptions { StopAtStep = 6 });
        TrainingSpec cooled = Cooled with { EmaDecay = averaged ? trunk.EmaDecay : null };
        TrainingResult whole = ToyRuns.Run(folder["whole"], cooled, Tasks[task]);
        string before = ToyRuns.Csv(folder["trunk"]);

        TrainingResult part = ToyRuns.Run(folder["branch"], cooled, Tasks[task], From(folder["trunk"], stop: 8));
        Assert.That(part.Steps, Is.EqualTo(8));
        TrainingResult branch = ToyRuns.Run(folder["branch"], cooled, Tasks[task], From(folder["trunk"]));

        Assert.That((branch.Steps, branch.ItemsSeen, branch.FinalValidationLoss), Is.EqualTo((whole.Steps, whole.ItemsSeen, whole.FinalValidationLoss)));
        // Those of the trunk were of averages that the branch does not keep: they are no part of it.
        string[] expected = averaged ? ToyRuns.Csv(folder["whole"]).Split('\n') : Losses(folder["whole"], validatedFrom: 6);
        Assert.That(ToyRuns.Csv(folder["branch"]).Split('\n'), Is.EqualTo(expected));
        if (averaged) Assert.That(branch with { Seconds = 0 }, Is.EqualTo(whole with { Seconds = 0 }));
        Assert.That(ToyRuns.Tensors(folder["branch"]), Is.EqualTo(ToyRuns.Tensors(folder["whole"])));
        Assert.That(ToyRuns.Csv(folder["trunk"]), Is.EqualTo(before), "the trunk stays as it was");

        ToyRuns.Run(folder["trunk"], trunk, Tasks[task], new TrainerOptions { Resume = true });
        ToyRuns.Run(folder["unbranched"], trunk, Tasks[task]);
        Assert.That(ToyRuns.Tensors(folder["trunk"]), Is.EqualTo(ToyRuns.Tensors(folder["unbranched"])), "and goes on as if there were no branch");
    }

    [Test]
    public void A_branch_of_a_trunk_that_has_gone_on_is_trained_from_the_start_and_that_is_said()
    {
        using var folder = new TemporaryFolder();
        ToyRuns.Run(folder["trunk"], Trunk with { CheckpointInterval = Interval.Steps(1) }, Tasks[0], new TrainerOptions { StopAtStep = 9 });
        var told = new List<string>();
        ToyRuns.Run(folder["branch"], Cooled, Tasks[0], From(folder["trunk"]) with { Warn = told.Add });
        ToyRuns.Run(folder["whole"], Cooled, Tasks[0]);
        Assert.That(told, Has.Exactly(1).Contains("no checkpoint of the 7 steps"));
        Assert.That(ToyRuns.Tensors(folder["branch"]), Is.EqualTo(ToyRuns.Tensors(folder["whole"])));
    }

    [Test]
    public void A_branch_that_crashes_at_any_disk_operation_ends_the_same()
    {
        using var folder = new TemporaryFolder(inMemory: true);
        ToyRuns.Run(folder["trunk"], Trunk, Tasks[0], new TrainerOptions { StopAtStep = 6 });
        ToyRuns.Run(folder["whole"], Cooled, Tasks[0]);
        int crashes = 0;
        for (int n = 1; ; n += 4, crashes++)
        {
            string run = folder[$"crash-{n}"];
            var time = new ManualTime();
            var storage = new FaultyStorage(n);
            using (ITrainingTask task = Tasks[0]())
            {
                try
                {
                    Trainer.Run(ToyRuns.Of(Cooled), task, new RunDirectory(run, storage, time), From(folder["trunk"]));
                }
                catch (Exception e) when (e is FaultyStorage.InjectedFault or InputException)
                {
                    Assert.That(storage.Failed, Is.True);
                }
            }
            if (!storage.Failed) break;
            storage.LoseUnsynced();
            time.Advance(RunClaim.Silence + TimeSpan.FromSeconds(10));
            using ITrainingTask again = Tasks[0]();
            Trainer.Run(ToyRuns.Of(Cooled), again, new RunDirectory(run, time: time), From(folder["trunk"]));
            Assert.That(ToyRuns.Tensors(run), Is.EqualTo(ToyRuns.Tensors(folder["whole"])), $"crash at operation {n}");
            Assert.That(ToyRuns.Csv(run).Split('\n'), Is.EqualTo(Losses(folder["whole"], 6)), $"crash at operation {n}");
        }
        Expect.Above(crashes, 5);
    }

    [Test]
    public void A_trunk_of_another_rate_batch_or_seed_is_refused()
    {
        using var folder = new TemporaryFolder();
        ToyRuns.Run(folder["trunk"], Trunk, Tasks[0], new TrainerOptions { StopAtStep = 6 });
        Assert.That(() => ToyRuns.Run(folder["other"], Cooled with { LearningRate = 0.02 }, Tasks[0], From(folder["trunk"])),
            Throws.TypeOf<InputException>().With.Message.Contains("training.learningRate: 0.01 instead of 0.02"));
        Assert.That(() => ToyRuns.Run(folder["averaged"], Cooled with { EmaDecay = 0.5 }, Tasks[0], From(folder["trunk"])),
            Throws.TypeOf<InputException>().With.Message.Contains("training.emaDecay"));
    }

    private static TrainerOptions From(string trunk, long? stop = null) => new() { Resume = true, Trunk = new RunDirectory(trunk), StopAtStep = stop };

    /// <summary>The run's metrics without the validations of its first steps.</summary>
    private static string[] Losses(string run, int validatedFrom) => [.. ToyRuns.Csv(run).Split('\n')
        .Where(line => !line.Contains(",,,", StringComparison.Ordinal) || int.Parse(line.Split(',')[1], System.Globalization.CultureInfo.InvariantCulture) >= validatedFrom)];
}
