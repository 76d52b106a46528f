using System.Globalization;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Training;

/// <summary>
/// A complete run gone on with as a new experiment, in a directory of its own: weights, optimizer, order of the data and random numbers are as the run left
/// them. With a constant rate the longer run is what one of that length from the beginning would have been, to the bit.
/// </summary>
public static class Continuation
{
    /// <param name="run">Run directory of the complete run.</param>
    /// <param name="wanted">Its experiment with other epochs, steps, schedule or rate.</param>
    /// <param name="rewarm">The schedule begins anew from there.</param>
    /// <exception cref="InputException">The run is not complete, or keeps no checkpoint; or the experiment differs in what cannot change on the way.</exception>
    public static Experiment Of(string run, Experiment wanted, bool rewarm = false)
    {
        var directory = new RunDirectory(run);
        if (directory.IsStarted && directory.IsImported)
            throw new InputException(run, "an imported model", "a run that was trained", "`initFrom` begins a training with its weights");
        if (!directory.IsDone)
            throw new InputException(run, directory.IsStarted ? "an unfinished run" : "no run", "a complete run", "an unfinished one is resumed in its own directory");
        TrainingResult result = directory.ReadResult();
        Experiment parent = directory.ReadExperiment();
        if (result.Checkpoint is null) throw new InputException(run, "no checkpoint", "a run that has written one");
        if (result.Reason == StopReason.Patience)
            throw new InputException(run, "a run that ended because its loss had stopped falling", "one that ended with its epochs or steps",
                "`initFrom` begins a training with its weights");
        TrainingSpec before = parent.Training, after = wanted.Training;
        if (rewarm) after = after with { Schedule = after.Schedule with { Restart = true } };
        Experiment same = wanted with
        {
            Training = after with
            {
                Epochs = before.Epochs,
                Steps = before.Steps,
                LearningRate = before.LearningRate,
                Schedule = before.Schedule,
                ClipNorm = before.ClipNorm,
                Patience = before.Patience,
                ValidationInterval = before.ValidationInterval,
                LabelLoss = before.LabelLoss,
                Parent = before.Parent,
            },
        };
        if (same.Id != parent.Id) throw new InputException(run, $"gone on with as another experiment ({same.DifferencesFrom(parent)})", "the same model, data and optimizer");
        // Before anything of the new run is written; how many steps epochs make, the data say later.
        if (after.Steps is { } steps && steps <= result.Steps)
            throw new InputException("training.steps", $"{steps} in all", $"more than the {result.Steps} that {run} has done");
        if (after.Steps is null && after.Epochs is { } epochs && before.Steps is null && epochs <= before.Epochs)
            throw new InputException("training.epochs", $"{epochs} in all", $"more than the {before.Epochs} that {run} has done");
        bool falls = after.Schedule.Kind is ScheduleKind.Cosine or ScheduleKind.Cooldown || before.Schedule.Kind is ScheduleKind.Cosine or ScheduleKind.Cooldown;
        if (falls && !after.Schedule.Restart)
        {
            throw new InputException("training.schedule.restart", $"false, with {Scalars.Format(after.Schedule.Kind)} after {Scalars.Format(before.Schedule.Kind)}",
                "true where a schedule has come to its end", "it is warmed up again from there");
        }
        return (wanted with
        {
            Training = after with
            {
                Parent = $"{parent.Id}@{result.Steps.ToString(CultureInfo.InvariantCulture)}",
                ParentRun = directory.Path,
            },
        }).Validated();
    }

    /// <summary>The step that a run begins at.</summary>
    internal static long FirstStep(TrainingSpec training) =>
        training.Parent is { } parent && long.TryParse(parent[(parent.IndexOf('@') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : 0;

    /// <summary>The checkpoint that the parent ended with.</summary>
    /// <exception cref="InputException">It is not there any more, or is another's.</exception>
    internal static Checkpoint Begin(TrainingSpec training, Action<string> warn)
    {
        string run = training.ParentRun ?? throw new InputException("training.parentRun", "not given", $"the run {training.Parent}");
        var directory = new RunDirectory(run);
        if (!directory.IsDone) throw new InputException(run, "no complete run", $"{training.Parent}, which this one goes on with");
        string found = $"{directory.ReadExperiment().Id}@{directory.ReadResult().Steps.ToString(CultureInfo.InvariantCulture)}";
        if (found != training.Parent) throw new InputException(run, found, $"{training.Parent}, which this one goes on with");
        Checkpoint checkpoint = directory.Checkpoints().OpenNewest(warn) ?? throw new InputException(run, "no checkpoint", "that of its last step");
        return checkpoint.Step == FirstStep(training) ? checkpoint : throw new InputException(run, $"a checkpoint of step {checkpoint.Step}",
            $"that of step {FirstStep(training)}");
    }
}
