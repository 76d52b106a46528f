using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Training;

/// <summary>
/// Runs an experiment in a run directory, from its beginning or from its last checkpoint, to its end or to where it is put aside.
/// </summary>
public static class Trainer
{
    /// <summary>
    /// Resuming is bit-identical, losses and weights, on the same device at the same thread count. The same call may be repeated until
    /// the result says that the run is complete. Runs of several threads share nothing but the number of libtorch's threads: each has a
    /// <see cref="RunScope"/> of its own, in which its task is called.
    /// </summary>
    /// <param name="experiment">What to run.</param>
    /// <param name="task">Its model and data, built from the experiment's seed; not disposed of here.</param>
    /// <param name="directory">Claimed for the duration of the call, where the options bring no claim.</param>
    /// <param name="options">Session options.</param>
    /// <exception cref="InputException">
    /// The trunk is another experiment's from the start; or
    /// the directory holds another run, is being written to, its checkpoints are damaged, or another run of this process has another number
    /// of threads.
    /// </exception>
    /// <exception cref="BackwardException">An operation's backward pass threw; nothing was applied.</exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient norm was not a number.</exception>
    /// <exception cref="RunClaimLostException">Another process has taken the directory over, or it is gone.</exception>
    /// <exception cref="RunFilesLostException">Somebody else deleted or changed what the run has written.</exception>
    public static TrainingResult Run(Experiment experiment, ITrainingTask task, RunDirectory directory, TrainerOptions? options = null)
    {
        options ??= new TrainerOptions();
        experiment = experiment.Validated();
        RequireUsable(experiment, directory, options.Resume);
        if (directory.IsDone) return directory.ReadSoundResult(options.CancellationToken);
        // A pattern that fits nothing is to leave no run behind.
        InitialWeights.Freeze(task.Model, experiment.Training.Freeze);
        using RunClaim? taken = options.Claim is null ? directory.Claim(null, options.Warn, options.CancellationToken) : null;
        RunClaim claim = taken ?? options.Claim!;
        // Between the first look and the claim another process may have been at work.
        RequireUsable(experiment, directory, options.Resume);
        if (directory.IsDone) return directory.ReadSoundResult(options.CancellationToken);
        // Before anything is written: a run without a sound checkpoint stays as it is.
        CheckpointStore checkpoints = directory.Checkpoints();
        Checkpoint? checkpoint = checkpoints.OpenNewest(options.Warn);
        directory.ModelFiles.Keep(task.ModelFiles, directory.IsStarted, options.Warn);
        directory.KeepExperiment(experiment);
        options.Begin(directory);
        checkpoints.Clean(checkpoint?.Step);
        using ThreadGrant threads = ThreadGrant.Take(experiment.Training.Threads);
        using var scope = new RunScope(experiment.Training.Operators, experiment.Seed);
        using RunScope.Entry entry = scope.Enter();
        using var session = new TrainingSession(experiment, task, directory, claim, checkpoints, scope, options);
        session.Start(checkpoint, checkpoint is null && options.Trunk is { } trunk ? Branching.From(trunk, experiment, task, options.Warn) : null);
        TrainingResult result;
        try
        {
            result = session.Run();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that was moved away says so, not that some file of it cannot be found.
            claim.EnsureHeld();
            throw;
        }
        if (result.IsComplete)
        {
            // DONE says that all is there, so it is looked at first.
            session.EnsureWhole(result);
            directory.EnsureKept(options.Warn);
            claim.EnsureHeld();
            directory.WriteResult(result);
        }
        return result;
    }

    private static void RequireUsable(Experiment experiment, RunDirectory directory, bool resume)
    {
        if (!resume)
        {
            directory.RequireNew();
            return;
        }
        if (!directory.IsStarted)
        {
            // Looked at once more: another process may just have begun the run.
            if (FileErrors.Exists(directory.MetricsCsvPath) && !directory.IsStarted) directory.RequireNew();
            return;
        }
        if (directory.IsImported)
            throw new InputException(directory.Path, "an imported model", "the run directory of a training", "`initFrom` begins a training with its weights");
        Experiment stored = directory.ReadExperiment();
        if (stored.Id != experiment.Id)
            throw new InputException(directory.Path, $"holds another experiment ({experiment.DifferencesFrom(stored)})", "",
                "resume with the experiment the run began with, or choose another directory");
    }
}
