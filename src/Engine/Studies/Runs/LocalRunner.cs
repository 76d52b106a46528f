using System.Runtime.ExceptionServices;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Runs;
using TorchSharp;

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

    /// <summary>Runs all, in order as places come free. Finished runs are not run again; unfinished ones are resumed.</summary>
    /// <param name="runs">Each in a directory of its own.</param>
    /// <param name="stopAtStep">Puts a run aside at this step; null: to the end.</param>
    /// <param name="stop">Leaves every run with a durable checkpoint.</param>
    /// <returns>Outcomes in the order of the runs; a diverged run is an outcome, recorded as <see cref="RunFailure"/>; any other failure is thrown.</returns>
    public IReadOnlyList<RunOutcome> Run(IReadOnlyList<PlannedRun> runs, Func<PlannedRun, long?>? stopAtStep = null, CancellationToken stop = default)
    {
        var outcomes = new RunOutcome[runs.Count];
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stop);
        ExceptionDispatchInfo? failure = null;
        int next = -1;
        int threads = ThreadsPerRun > 0 ? ThreadsPerRun : Math.Max(1, Environment.ProcessorCount / Math.Max(1, Parallel));
        int threadsBefore = torch.get_num_threads();

        // Threads of their own: libtorch keeps its thread count per thread, and the pool's are everybody's.
        Thread[] workers = [.. Enumerable.Range(0, Math.Min(Math.Max(1, Parallel), runs.Count)).Select(_ => new Thread(Work))];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        torch.set_num_threads(threadsBefore);
        failure?.Throw();
        stop.ThrowIfCancellationRequested();
        return outcomes;

        void Work()
        {
            torch.set_num_threads(threads);
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

    private RunOutcome RunOne(PlannedRun run, long? stopAtStep, CancellationToken stop)
    {
        using ITrainingTask task = TrainingTasks.Create(run.Experiment, stop);
        // Before the run can be complete: what follows a run's end may never come to be written.
        if (Claim is not null) RunFacts.Keep(task, run.Directory);
        Relay? relay = Progress is null ? null : new Relay(run, Progress);
        var options = new TrainerOptions
        {
            Resume = true,
            Claim = Claim,
            StopAtStep = stopAtStep,
            Progress = relay,
            Warn = Warn,
            CancellationToken = stop,
        };
        try
        {
            TrainingResult result = Trainer.Run(run.Experiment, task, new RunDirectory(run.Directory), options);
            RunFacts.Keep(task, run.Directory);
            return new RunOutcome(run, result, null);
        }
        catch (TrainingDivergedException e)
        {
            Claim?.EnsureHeld();
            new RunFailure(e.Message, Diverged: true).Keep(run.Directory);
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
