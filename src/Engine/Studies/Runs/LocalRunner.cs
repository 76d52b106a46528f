using System.Runtime.ExceptionServices;
using System.Text.Json;
using ChemScale.Engine.Files;
using ChemScale.Engine.Native;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>
/// Runs experiments on this machine, several side by side with a share of the cores each: small models gain more from that than from
/// threads. A run's result depends on its number of threads alone, so not on what runs beside it.
/// </summary>
public sealed record LocalRunner
{
    /// <summary>Runs at a time.</summary>
    public int Parallel { get; init; } = 1;

    /// <summary>Threads of each run; 0: the cores divided by <see cref="Parallel"/>.</summary>
    public int ThreadsPerRun { get; init; }

    /// <summary>A claim on the directory of the only run, held by the caller; null: each run is claimed while it runs.</summary>
    public RunClaim? Claim { get; init; }

    /// <summary>Told of every step, from the thread of the run.</summary>
    public IProgress<RunProgress>? Progress { get; init; }

    public Action<string> Warn { get; init; } = static _ => { };

    internal IStorage Storage { get; init; } = DiskStorage.Shared;

    /// <summary>Runs all, in order as places come free. Finished runs are not run again; unfinished ones are resumed.</summary>
    /// <param name="runs">Each in a directory of its own.</param>
    /// <param name="stopAtStep">Puts a run aside at this step; null: to the end.</param>
    /// <param name="stop">Leaves every run with a durable checkpoint.</param>
    /// <exception cref="InputException">Side by side with different numbers of threads.</exception>
    /// <returns>Outcomes in the order of the runs; a diverged run is an outcome, recorded as <see cref="RunFailure"/>; any other failure is thrown.</returns>
    public IReadOnlyList<RunOutcome> Run(IReadOnlyList<PlannedRun> runs, Func<PlannedRun, long?>? stopAtStep = null, CancellationToken stop = default)
    {
        var outcomes = new RunOutcome[runs.Count];
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stop);
        ExceptionDispatchInfo? failure = null;
        int next = -1;
        RequireOneThreadCount(runs);

        // Threads of their own: libtorch keeps its thread count per thread, and the pool's are everybody's.
        Thread[] workers = [.. Enumerable.Range(0, Math.Min(Math.Max(1, Parallel), runs.Count)).Select(_ => new Thread(Work))];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        failure?.Throw();
        stop.ThrowIfCancellationRequested();
        return outcomes;

        void Work()
        {
            for (int i; (i = Interlocked.Increment(ref next)) < runs.Count && !all.IsCancellationRequested;)
            {
                try
                {
                    outcomes[i] = RunOne(runs[i], stopAtStep?.Invoke(runs[i]), all.Token);
                }
#pragma warning disable CA1031 // Thrown again on the caller's thread, once every worker has put its run aside.
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
                    all.Cancel();
                }
#pragma warning restore CA1031
            }
        }
    }

    private int ThreadsOf(PlannedRun run) => run.Experiment.Training.Threads is > 0 and var threads ? threads
        : ThreadsPerRun > 0 ? ThreadsPerRun : Math.Max(1, ProcessorBudget.Count / Math.Max(1, Parallel));

    /// <summary>Runs side by side have one number of threads; one after the other, they may differ.</summary>
    /// <exception cref="InputException">They would not.</exception>
    public void RequireOneThreadCount(IReadOnlyList<PlannedRun> runs)
    {
        int[] counts = [.. runs.Select(ThreadsOf).Distinct()];
        if (Parallel > 1 && counts.Length > 1)
            throw new InputException("training.threads", $"{string.Join(", ", counts)} in runs side by side", "one number", ThreadGrant.OneHint);
    }

    private RunOutcome RunOne(PlannedRun run, long? stopAtStep, CancellationToken stop)
    {
        using ThreadGrant threads = ThreadGrant.Take(ThreadsOf(run));
        using ITrainingTask task = TrainingTasks.Create(run.Experiment, stop);
        Relay? relay = Progress is null ? null : new Relay(run, Progress);
        var options = new TrainerOptions
        {
            Resume = true,
            Trunk = run.Trunk is { } trunk ? new RunDirectory(trunk, Storage) : null,
            Claim = Claim,
            Begin = directory => RunFacts.Keep(task, run.Experiment, directory),
            StopAtStep = stopAtStep,
            Progress = relay,
            Warn = Warn,
            CancellationToken = stop,
        };
        try
        {
            var directory = new RunDirectory(run.Directory, Storage);
            TrainingResult result = Trainer.Run(run.Experiment, task, directory, options);
            // Those of a run that an earlier version completed may be missing.
            RunFacts.Keep(task, run.Experiment, directory);
            return new RunOutcome(run, result, null);
        }
        catch (TrainingDivergedException e)
        {
            Claim?.EnsureHeld();
            new RunFailure(e.Message, Diverged: true).Keep(run.Directory, Storage);
            return new RunOutcome(run, null, e.Message);
        }
        finally
        {
            relay?.End();
        }
    }

    private sealed class Relay(PlannedRun run, IProgress<RunProgress> target) : IProgress<StepReport>
    {
        private StepReport? last;

        public void Report(StepReport value)
        {
            last = value;
            target.Report(new RunProgress(run, value));
        }

        public void End()
        {
            if (last is { } step) target.Report(new RunProgress(run, step, Ended: true));
        }
    }
}

/// <summary>An experiment and where it runs. The directory is the run's only state.</summary>
public sealed record PlannedRun(string Name, Experiment Experiment, string Directory)
{
    /// <summary>Directory of a run whose first steps are its own too (<see cref="TrainerOptions.Trunk"/>); null: it begins by itself.</summary>
    public string? Trunk { get; init; }
}

/// <summary>How a planned run ended. Diverged: why, where a loss was not a number; then there is no result.</summary>
public sealed record RunOutcome(PlannedRun Run, TrainingResult? Result, string? Diverged);

/// <summary>A step of one of the runs in progress. Ended: its last, told again when the run has ended or been put aside, at whatever step.</summary>
public readonly record struct RunProgress(PlannedRun Run, StepReport Step, bool Ended = false);

/// <summary>Why a run will not be tried again by itself: kept in its directory as <c>FAILED</c>.</summary>
/// <param name="Reason">One line.</param>
/// <param name="Diverged">A loss was not a number: the experiment's own doing, and a result of a kind.</param>
public sealed record RunFailure(string Reason, bool Diverged)
{
    internal const string FileName = "FAILED";

    /// <summary>Null where the run has not failed.</summary>
    public static RunFailure? Of(string directory)
    {
        string path = Path.Combine(directory, FileName);
        try
        {
            if (!File.Exists(path)) return null;
            return Seal.ReadJson<RunFailure>(path, JsonSerializerOptions.Default, "why a run failed");
        }
        catch (InputException)
        {
            return new RunFailure($"{path} cannot be read", Diverged: false);
        }
    }

    public void Keep(string directory, IStorage? storage = null)
    {
        storage ??= DiskStorage.Shared;
        storage.EnsureDirectory(directory);
        storage.WriteAtomically(Path.Combine(directory, FileName), Seal.Json(JsonSerializer.SerializeToUtf8Bytes(this)));
    }

    /// <summary>Lets the run be tried again.</summary>
    public static void Forget(string directory)
    {
        if (Directory.Exists(directory)) DiskStorage.Shared.DeleteFile(Path.Combine(directory, FileName));
    }
}
