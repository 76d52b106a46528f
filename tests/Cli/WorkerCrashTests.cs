using System.Globalization;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Worker processes on one folder, killed and stopped: every run is completed once, and nothing is left that needs a hand.</summary>
[Platform("Linux,MacOsX", Reason = "sends signals")]
public sealed class WorkerCrashTests
{
    private const int Epochs = 3;

    private SweepPlan reference = null!;

    [OneTimeSetUp]
    public void Work_without_interruption()
    {
        reference = Plan("workers-uninterrupted");
        Assert.That(new SweepWorker { Plan = reference, Threads = 1 }.Run(SweepStage.All), Is.Empty);
    }

    [Test]
    public void Two_workers_killed_at_random_lose_no_run_and_repeat_none() => KillWorkers(6);

    [Test, Category("Slow")]
    public void Two_workers_killed_fifty_times_lose_no_run_and_repeat_none() => KillWorkers(50);

    [Test]
    public void A_worker_that_is_warned_puts_its_run_aside_and_says_that_it_is_to_be_tried_again()
    {
        SweepPlan plan = Plan("worker-warned");
        Assert.That(Stopped(plan, "USR1").ExitCode, Is.EqualTo(75));
        // From a scheduler a signal may come by two ways; the second must not cut the checkpoint short.
        Assert.That(Stopped(plan, "TERM", "TERM").ExitCode, Is.EqualTo(143));
        Assert.That(SweepStatus.Of(plan).States[0].Stage, Is.EqualTo(RunStage.PutAside));
        Outcome rest = CommandLine.Here("worker", plan.Directory, "--index", "0", "--threads", "1");
        Assert.That(rest.ExitCode, Is.Zero, rest.ToString());
        AssertWhole(plan, 0);
        Assert.That(SweepStatus.Of(plan).States.Skip(1).Select(s => s.Stage), Is.All.EqualTo(RunStage.Waiting), "only the run of the index");
    }

    [Test]
    public void When_the_parent_dies_its_workers_put_their_runs_aside_and_the_same_command_goes_on()
    {
        string[] command = SweepCommand("workers-orphaned");
        RunningCommand parent = CommandLine.Start(command);
        Assert.That(parent.Await(() => Claims("workers-orphaned") > 0), Is.True);
        parent.Signal("KILL");
        Assert.That(parent.Wait().ExitCode, Is.EqualTo(137));
        var plan = SweepPlan.Read(Workplace.In("workers-orphaned"));
        Assert.That(() => SweepStatus.Of(plan).States.Select(s => s.Stage), Has.None.EqualTo(RunStage.Running).After(60_000, 50));

        Outcome rest = CommandLine.Run(command);
        Assert.That(rest.ExitCode, Is.Zero, rest.ToString());
        Assert.That(rest.ErrorLines.Count(line => line.EndsWith("ended with code 0", StringComparison.Ordinal)), Is.EqualTo(2), rest.ToString());
        Assert.That(File.ReadLines(Path.Combine(plan.Directory, "sweep.csv")).Count(), Is.EqualTo(1 + plan.Runs.Count));
        for (int i = 0; i < plan.Runs.Count; i++) AssertWhole(plan, i);
    }

    private void KillWorkers(int kills)
    {
        int seed = Environment.TickCount, killed = 0, rounds = 0, midway = 0;
        var random = new Random(seed);
        while (killed < kills)
        {
            SweepPlan plan = Plan($"workers-killed-{kills}-{rounds++}");
            var ended = new List<Outcome>();
            RunningCommand[] workers = [Start(plan), Start(plan)];
            var alive = new HashSet<int> { 0, 1 };
            while (killed < kills && alive.Count > 0)
            {
                int i = alive.ElementAt(random.Next(alive.Count));
                long moment = Environment.TickCount64 + random.Next(2500);
                // Half of them amid training, wherever it stands; half of them whenever, starts included.
                bool training = random.Next(2) == 0;
                bool lives = workers[i].Await(() => training ? plan.Runs.Any(run => Holds(workers[i], run)) : Environment.TickCount64 >= moment);
                if (lives)
                {
                    Thread.Sleep(random.Next(700));
                    if (plan.Runs.Any(run => Holds(workers[i], run))) midway++;
                    workers[i].Signal("KILL");
                }
                Outcome outcome = workers[i].Wait();
                ended.Add(outcome);
                if (outcome.ExitCode == 137)
                {
                    killed++;
                    workers[i] = Start(plan);
                }
                else
                {
                    Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
                    alive.Remove(i);
                }
            }
            foreach (int i in alive)
            {
                ended.Add(workers[i].Wait());
                Assert.That(ended[^1].ExitCode, Is.Zero, ended[^1].ToString());
            }
            for (int i = 0; i < plan.Runs.Count; i++)
            {
                AssertWhole(plan, i);
                // A worker killed right after a run's end may not have told of it.
                Expect.AtMost(ended.Sum(o => o.ErrorLines.Count(line => line.StartsWith($"{plan.Runs[i].Name}: Completed ", StringComparison.Ordinal))), 1);
            }
            Assert.That(File.Exists(SweepStatus.Of(plan).WriteTable()), Is.True);
        }
        TestContext.Out.WriteLine($"seed {seed}: {killed} kills, {midway} of them of a worker that held a run; {rounds} rounds of {reference.Runs.Count} runs");
        Expect.Above(midway, 0, "no kill met a run");
    }

    /// <summary>Complete, each step and epoch once and the very losses of an uninterrupted run; and nobody is in the way of the next writer.</summary>
    private void AssertWhole(SweepPlan plan, int index)
    {
        var run = new RunDirectory(plan.Runs[index].Directory);
        Assert.That(run.IsDone, Is.True, plan.Runs[index].Name);
        string[] rows = File.ReadAllLines(run.MetricsCsvPath);
        Assert.That(rows, Is.EqualTo(File.ReadAllLines(new RunDirectory(reference.Runs[index].Directory).MetricsCsvPath)));
        string[] steps = [.. rows.Skip(1).Select(r => r.Split(',')).Where(c => c[2].Length > 0).Select(c => c[1])];
        Assert.That(steps, Is.EqualTo(Enumerable.Range(0, steps.Length).Select(n => n.ToString(CultureInfo.InvariantCulture))));
        Assert.That(rows.Skip(1).Select(r => r.Split(',')).Where(c => c[3].Length > 0).Select(c => c[0]),
            Is.EqualTo(Enumerable.Range(0, Epochs).Select(n => n.ToString(CultureInfo.InvariantCulture))));
        Assert.That(() => run.Claim().Dispose(), Throws.Nothing, "a claim is left that holds");
        Assert.That(() => RunFacts.Read(run.Path), Throws.Nothing);
    }

    private static RunningCommand Start(SweepPlan plan) => CommandLine.Start("worker", plan.Directory, "--threads", "1");

    private static bool Holds(RunningCommand worker, PlannedRun run) => RunState.Of(run) is { Stage: RunStage.Running, Holder.Owner.Pid: var pid } && pid == worker.Id;

    private static Outcome Stopped(SweepPlan plan, params string[] signals)
    {
        long before = RunState.Of(plan.Runs[0]).Step;
        RunningCommand worker = CommandLine.Start("worker", plan.Directory, "--index", "0", "--threads", "1");
        Assert.That(worker.Await(() => RunState.Of(plan.Runs[0]).Step > before), Is.True);
        foreach (string signal in signals) worker.Signal(signal);
        return worker.Wait();
    }

    private static int Claims(string folder) =>
        Directory.Exists(Workplace.In(folder)) ? Directory.GetDirectories(Workplace.In(folder)).Count(run => RunClaim.HolderOf(run) is not null) : 0;

    private static string[] SweepCommand(string name) =>
    [
        "sweep", "--file", Workplace.Write("workers.yaml", """
            experiment:
              model: {family: chemgpt, layers: 1, width: 16, heads: 2}
              training: {epochs: 3, batchSize: 8, threads: 1, checkpointInterval: 6 steps}
            vary:
              training.learningRate: [1e-4, 1e-3]
              seed: [1, 2]
            """), "--data", Workplace.Store, "--out", Workplace.In(name), "--workers", "2", "--threads", "1",
    ];

    /// <summary>Four small runs, written by the command itself, without a worker at work.</summary>
    private static SweepPlan Plan(string name)
    {
        string[] command = SweepCommand(name);
        Outcome planned = CommandLine.Here([.. command.TakeWhile(word => word != "--workers"), "--slurm", "--dry-run"]);
        Assert.That(planned.ExitCode, Is.Zero, planned.ToString());
        var plan = SweepPlan.Read(Workplace.In(name));
        Assert.That(plan.Runs.Select(r => ((ChemGptConfig)r.Experiment.Model.Config).Width), Is.All.EqualTo(16).And.Exactly(4).Items);
        Assert.That(plan.Runs.Select(r => r.Experiment.Training.CheckpointInterval), Is.All.EqualTo(Interval.Steps(6)));
        return plan;
    }
}
