using System.Text.Json;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>One sweep file in this process, in workers, and as Slurm's scripts would have it worked off: the same runs, the same answer.</summary>
public sealed class SweepScaleTests
{
    private const string Search = """
        experiment:
          model: {family: chemgpt, layers: 1, width: 16, heads: 2}
          training: {batchSize: 16, threads: 1}
        vary:
          training.learningRate: [1e-4, 1e-3, 1e-2]
        selection: {epochs: 5, probeEpochs: 1}
        """;

    [Test]
    public void A_search_is_the_same_in_this_process_in_workers_and_task_by_task()
    {
        Assert.That(Sweep("scale-here", Search).ExitCode, Is.Zero);
        Outcome workers = CommandLine.Run(Command("scale-workers", Search, "--workers", "2"));
        Assert.That(workers.ExitCode, Is.Zero, workers.ToString());
        Assert.That(Sweep("scale-tasks", Search, "--slurm", "--dry-run").ExitCode, Is.Zero);
        string tasks = Workplace.In("scale-tasks");
        Assert.That(Directory.GetFiles(Path.Combine(tasks, "slurm"), "*.sh").Select(Path.GetFileName), Is.EquivalentTo(new[] { "probe.sh", "select.sh", "finish.sh" }));
        BadInputTests.Refused(["worker", tasks, "--stage", "select"]);
        foreach (string stage in (string[])["probe", "select", "finish"])
        {
            for (int i = 0; i < (stage == "select" ? 1 : 3); i++)
            {
                string[] index = stage == "select" ? [] : ["--index", $"{i}"];
                Outcome task = CommandLine.Here(["worker", tasks, "--stage", stage, .. index, "--threads", "1"]);
                Assert.That(task.ExitCode, Is.Zero, task.ToString());
            }
        }
        var plan = SweepPlan.Read(tasks);
        Assert.That(plan.Kept, Has.Count.EqualTo(1));
        Assert.That(SweepStatus.Of(plan).States.Select(s => s.Stage), Is.EquivalentTo(new[] { RunStage.Complete, RunStage.Stopped, RunStage.Stopped }));
        foreach (PlannedRun run in plan.Runs)
        {
            foreach (string other in (string[])["scale-here", "scale-workers"])
            {
                Assert.That(File.ReadAllText(Path.Combine(Workplace.In(other), run.Name, "metrics.csv")),
                    Is.EqualTo(File.ReadAllText(Path.Combine(run.Directory, "metrics.csv"))), $"{run.Name} of {other}");
            }
        }
        // The answer of the tasks is collected in this process, which finds nothing left to train.
        Assert.That(Sweep("scale-tasks", Search).Output, Is.EqualTo(Sweep("scale-here", Search).Output));
    }

    [Test]
    public void The_form_of_operations_goes_along_to_worker_processes_and_batch_scripts()
    {
        const string Two = """
            experiment:
              model: {family: chemgpt, layers: 1, width: 16, heads: 2}
              training: {batchSize: 16, threads: 1, steps: 12, validationInterval: 6 steps, schedule: {warmupSteps: 2}}
            vary:
              training.learningRate: [1e-3, 1e-2]
            """;
        Outcome here = Sweep("form-here", Two, "--operators", "composed", "--parallel", "1"), kernels = Sweep("form-kernels", Two, "--operators", "kernels", "--parallel", "1");
        Outcome workers = CommandLine.Run(Command("form-workers", Two, "--operators", "composed", "--workers", "1"));
        Outcome script = Sweep("form-tasks", Two, "--operators", "composed", "--slurm", "--dry-run");
        foreach (Outcome outcome in (Outcome[])[here, kernels, workers, script]) Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        for (int i = 0; i < 2; i++)
            Assert.That(CommandLine.Here("worker", Workplace.In("form-tasks"), "--index", $"{i}", "--threads", "1").ExitCode, Is.Zero);
        bool apart = false;
        foreach (string run in (string[])["learningRate-1e-3", "learningRate-1e-2"])
        {
            string expected = Of("form-here", "metrics.csv");
            foreach (string other in (string[])["form-workers", "form-tasks"])
            {
                Assert.That(Of(other, "metrics.csv"), Is.EqualTo(expected), other);
                Assert.That(Of(other, "experiment.yaml"), Does.Contain("operators: composed"));
                Assert.That(Of(other, "facts.json"), Does.Contain("\"Operators\":\"composed\""));
            }
            apart |= Of("form-kernels", "metrics.csv") != expected;
            Assert.That(Of("form-kernels", "facts.json"), Does.Contain("\"Operators\":\"kernels\""));

            string Of(string sweep, string file) => File.ReadAllText(Path.Combine(Workplace.In(sweep), run, file));
        }
        // Forms differ in their last bits: the comparison tells them apart.
        Assert.That(apart, Is.True);
    }

    [Test, NonParallelizable]
    public void A_sweep_over_numbers_of_threads_runs_them_one_after_the_other_or_is_refused()
    {
        const string Threads = """
            experiment:
              model: {family: chemgpt, layers: 1, width: 16, heads: 2}
              training: {batchSize: 16, steps: 2}
            vary:
              training.threads: [1, 2]
            """;
        BadInputTests.Refused([.. Command("threads-beside", Threads, "--parallel", "2")]);
        Outcome after = Sweep("threads-after", Threads, "--parallel", "1");
        Assert.That(after.ExitCode, Is.Zero, after.ToString());
        foreach (int n in (int[])[1, 2])
        {
            var run = new RunDirectory(Path.Combine(Workplace.In("threads-after"), $"threads-{n}"));
            Assert.That((int?)run.Checkpoints().OpenNewest(_ => { })!.State["threads"], Is.EqualTo(n));
        }
    }

    [Test]
    public void A_run_that_fails_is_told_of_and_left_alone_until_it_is_asked_for_again()
    {
        const string Divergent = """
            experiment:
              model: {family: chemgpt, layers: 1, width: 16, heads: 2}
              training: {batchSize: 16, threads: 1, epochs: 1, schedule: {warmupSteps: 0}}
            vary:
              training.learningRate: [1e-3, 1000]
              data.validation: [20]
            """;
        Assert.That(Sweep("fails", Divergent, "--slurm", "--dry-run").ExitCode, Is.Zero);
        string folder = Workplace.In("fails");
        var plan = SweepPlan.Read(folder);
        // What stands in the way of a run: something that is none of this program's.
        Directory.CreateDirectory(plan.Runs[0].Directory);
        string foreign = Path.Combine(plan.Runs[0].Directory, "metrics.csv");
        File.WriteAllText(foreign, "of somebody else");

        Outcome first = CommandLine.Here("worker", folder, "--threads", "1");
        Assert.That(first.ExitCode, Is.EqualTo(1), first.ToString());
        Assert.That(first.Output, Does.Contain("not a run of this program").And.Contain("diverged at step"));
        Assert.That(SweepStatus.Of(plan).States.Select(s => (s.Stage, s.Failure!.Diverged)), Is.EqualTo(new[] { (RunStage.Failed, false), (RunStage.Failed, true) }));
        Assert.That(CommandLine.Here("worker", folder).ErrorLines, Is.Empty, "tried again");
        Assert.That(File.ReadAllLines(Path.Combine(Table(folder), "sweep.csv")).Skip(1).Select(row => row[(row.LastIndexOf(',') + 1)..]),
            Is.EquivalentTo(new[] { "failed", "yes" }));

        File.Delete(foreign);
        Outcome again = CommandLine.Run(Command("fails", Divergent, "--workers", "1", "--retry-failed"));
        Assert.That(again.ExitCode, Is.Zero, again.ToString());
        Assert.That(new RunDirectory(plan.Runs[0].Directory).IsDone, Is.True);
    }

    [Test]
    public void A_probe_that_ended_after_finite_losses_takes_no_part_in_the_selection()
    {
        Assert.That(Sweep("gradient", Search, "--slurm", "--dry-run").ExitCode, Is.Zero);
        var plan = SweepPlan.Read(Workplace.In("gradient"));
        // As a gradient that is not a number leaves it: fewer steps than a probe has, each with a loss.
        PlannedRun ended = plan.Runs[2];
        Directory.CreateDirectory(ended.Directory);
        File.WriteAllText(Path.Combine(ended.Directory, "metrics.csv"), "epoch,step,train_loss_step,train_loss_epoch,val_loss\n0,0,0.1,,\n0,1,0.1,,\n");
        new RunFailure("gradient norm NaN", Diverged: true).Keep(ended.Directory);
        Outcome worker = CommandLine.Here("worker", plan.Directory, "--threads", "1");
        Assert.That(worker.ExitCode, Is.Zero, worker.ToString());
        Assert.That(plan.Kept, Has.Count.EqualTo(1).And.None.EqualTo(2));
        Assert.That(SweepStatus.Of(plan).IsDone, Is.True);
    }

    [Test]
    public void Tpe_in_workers_answers_as_in_this_process()
    {
        string[] shape = ["--data", Workplace.Store, "--layers", "1", "--width", "16", "--heads", "2", "--threads", "1", "--warmup", "5", "--epochs", "3", "--limit", "64"];
        string[] grid = ["--rates", "1e-3,1e-2", "--batches", "16", "--probe-epochs", "1", "--json"];
        Outcome here = CommandLine.Here(["tpe", .. shape, .. grid, "--parallel", "1", "--out", Workplace.In("tpe-here")]);
        Outcome workers = CommandLine.Run(["tpe", .. shape, .. grid, "--workers", "2", "--out", Workplace.In("tpe-workers")]);
        Assert.That(workers.ExitCode, Is.Zero, workers.ToString());
        using JsonDocument a = JsonDocument.Parse(here.Output), b = JsonDocument.Parse(workers.Output);
        Assert.That(Losses(b), Is.EqualTo(Losses(a)));
        Assert.That(b.RootElement.GetProperty("selected").GetInt32(), Is.EqualTo(a.RootElement.GetProperty("selected").GetInt32()));
    }

    [TestCase("--file nowhere.yaml"), TestCase("--vary seed=1,2 --workers 0"), TestCase("--vary seed=1,2 --workers 2 --slurm"), TestCase("--vary seed=1,2 --dry-run")]
    [TestCase("--vary seed=1,2 --slurm --dry-run --cpus 0"), TestCase("--status"), TestCase("")]
    public void Sweeps_that_cannot_be_are_refused(string options)
    {
        BadInputTests.Refused(["sweep", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--steps", "2", "--data", Workplace.Store, "--out", Workplace.In("refused")]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCase("--index 9"), TestCase("--index -1"), TestCase("--stage probe"), TestCase("--stage sleep")]
    public void Work_that_a_plan_does_not_have_is_refused(string options)
    {
        string folder = Workplace.In("no-such-work");
        Assert.That(CommandLine.Here(
            [.. Workplace.Train("no-such-work", "--steps", "2", "--vary", "seed=1,2", "--slurm", "--dry-run").Select((w, i) => i == 0 ? "sweep" : w)]).ExitCode, Is.Zero);
        BadInputTests.Refused(["worker", folder, .. options.Split(' ')]);
        BadInputTests.Refused(["worker", Workplace.Store, "--threads", "1"]);
    }

    private static string Table(string folder)
    {
        Outcome status = CommandLine.Here("sweep", "--status", "--out", folder);
        Assert.That(status.ExitCode, Is.Zero, status.ToString());
        Assert.That(status.Output, Does.Contain("2 failed"));
        return folder;
    }

    private static (string?, double[])[] Losses(JsonDocument summary) =>
    [
        .. summary.RootElement.GetProperty("configurations").EnumerateArray().Select(c =>
            (c.GetProperty("name").GetString(), (double[])[.. c.GetProperty("epochLosses").EnumerateArray().Select(l => l.GetDouble())])),
    ];

    private static string[] Command(string name, string yaml, params string[] more) =>
        ["sweep", "--file", Workplace.Write($"{name}.yaml", yaml), "--data", Workplace.Store, "--out", Workplace.In(name), .. more];

    private static Outcome Sweep(string name, string yaml, params string[] more) => CommandLine.Here(Command(name, yaml, more));
}
