using System.Text.Json;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Sweeps;

public class SweepStatusTests
{
    [Test]
    public void A_run_is_what_its_directory_says()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = SweepPlanTests.Plan(folder, "model.width=16,32,48,64,80,96");
        plan.Write();
        // Waiting, running, put aside, abandoned, failed, complete.
        using RunClaim claim = new RunDirectory(plan.Runs[1].Directory).Claim();
        Begin(plan, 2);
        Begin(plan, 3);
        WriteClaim(plan.Runs[3].Directory, ProcessIdentity.Current with { Pid = 1, Started = "never" });
        new RunFailure("no data", Diverged: false).Keep(plan.Runs[4].Directory);
        new RunFailure("failed once", Diverged: false).Keep(plan.Runs[5].Directory);
        File.WriteAllText(new RunDirectory(plan.Runs[5].Directory).DonePath, "{}");
        var status = SweepStatus.Of(plan);
        Assert.That(status.States.Select(s => s.Stage), Is.EqualTo(new[]
        {
            RunStage.Waiting, RunStage.Running, RunStage.PutAside, RunStage.Abandoned, RunStage.Failed, RunStage.Complete,
        }));
        Assert.That(status.States.Select(s => s.Step), Is.EqualTo(new[] { 0, 0, 40, 40, 0, 0 }));
        Assert.That(status.States[1].Holder!.ToString(), Is.EqualTo($"process {Environment.ProcessId} on {Environment.MachineName}"));
        Assert.That(status.States[3].Holder!.ToString(), Does.StartWith("process 1 on"));
        Assert.That(status.Counts, Is.EqualTo("1 waiting, 1 running, 1 put aside, 1 abandoned, 1 complete, 1 failed"));
        Assert.That(status.IsEnded, Is.False);
        Assert.That(status.WriteTable(), Is.Null);
        Assert.That(File.Exists(folder["sweep.csv"]), Is.False);
    }

    [Test]
    public void Runs_that_a_selection_left_are_stopped_and_nothing_is_left_to_do()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = SweepPlanTests.Plan(folder, "model.width=16,32,48");
        plan.Write();
        Begin(plan, 0);
        Begin(plan, 1);
        new RunFailure("the loss is NaN", Diverged: true).Keep(plan.Runs[2].Directory);
        plan.Keep([1]);
        Assert.That(SweepStatus.Of(plan).States.Select(s => s.Stage), Is.EqualTo(new[] { RunStage.Stopped, RunStage.PutAside, RunStage.Failed }));
        Assert.That(SweepStatus.Of(plan).IsEnded, Is.False, "the kept run goes on");
        File.WriteAllText(new RunDirectory(plan.Runs[1].Directory).DonePath, "{}");
        Assert.That((SweepStatus.Of(plan).IsEnded, SweepStatus.Of(plan).IsDone), Is.EqualTo((true, true)));
    }

    [Test]
    public void A_run_that_could_not_run_leaves_the_sweep_undone_and_one_that_diverged_does_not()
    {
        using var folder = new TemporaryFolder();
        SweepPlan plan = SweepPlanTests.Plan(folder, "model.width=16,32");
        plan.Write();
        new RunFailure("the loss is NaN", Diverged: true).Keep(plan.Runs[0].Directory);
        new RunFailure("no data", Diverged: false).Keep(plan.Runs[1].Directory);
        var status = SweepStatus.Of(plan);
        Assert.That((status.IsEnded, status.IsDone), Is.EqualTo((true, false)));
        Assert.That(File.ReadAllLines(status.WriteTable()!).Skip(1), Is.EqualTo(new[] { "width-16,,,,,,,yes", "width-32,,,,,,,failed" }));
        RunFailure.Forget(plan.Runs[1].Directory);
        Assert.That(SweepStatus.Of(plan).States[1].Stage, Is.EqualTo(RunStage.Waiting));
    }

    private static void Begin(SweepPlan plan, int index)
    {
        var run = new RunDirectory(plan.Runs[index].Directory);
        Directory.CreateDirectory(Path.Combine(run.CheckpointsPath, "step-000000040"));
        File.WriteAllText(run.ExperimentPath, plan.Runs[index].Experiment.ToYaml());
    }

    private static void WriteClaim(string directory, ProcessIdentity owner) =>
        File.WriteAllText(Path.Combine(directory, "claim.1"), JsonSerializer.Serialize(new { Owner = owner, Token = "t", Claimed = DateTimeOffset.UtcNow }));
}
