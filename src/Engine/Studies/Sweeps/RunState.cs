using System.Globalization;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Sweeps;

public enum RunStage
{
    /// <summary>Nothing is there yet.</summary>
    Waiting,

    /// <summary>A process is at work on it.</summary>
    Running,

    /// <summary>It has begun and was put aside with a checkpoint; nobody is at work on it.</summary>
    PutAside,

    /// <summary>Whoever was at work on it is dead or silent; it is taken up from its last checkpoint.</summary>
    Abandoned,

    /// <summary>It was probed, and selection stopped it.</summary>
    Stopped,

    Complete,

    /// <summary>It diverged or could not run; nobody tries again by himself.</summary>
    Failed,
}

/// <summary>Where a run of a sweep stands, read from its directory alone.</summary>
/// <param name="Run">Which.</param>
/// <param name="Stage">Where it stands.</param>
/// <param name="Step">Of its newest checkpoint; 0 without one.</param>
/// <param name="Holder">Who is at work on it, or was when it was abandoned.</param>
/// <param name="Failure">Why it failed.</param>
public sealed record RunState(PlannedRun Run, RunStage Stage, long Step, ClaimHolder? Holder, RunFailure? Failure)
{
    /// <param name="run">Which.</param>
    /// <param name="held">The caller holds its claim: it is then never Running.</param>
    /// <param name="watch">What the caller, who comes again, has seen of claims; null: this is a look and no more.</param>
    public static RunState Of(PlannedRun run, bool held = false, ClaimWatch? watch = null)
    {
        var directory = new RunDirectory(run.Directory);
        long step = StepOf(directory);
        // A run that was given up once and then completed has not failed.
        if (directory.IsDone) return new RunState(run, RunStage.Complete, step, null, null);
        ClaimHolder? holder = held ? null : RunClaim.HolderOf(run.Directory, watch);
        if (holder is { Abandoned: false }) return new RunState(run, RunStage.Running, step, holder, null);
        // It may have ended between the two looks.
        if (directory.IsDone) return new RunState(run, RunStage.Complete, step, null, null);
        if (RunFailure.Of(run.Directory) is { } failure) return new RunState(run, RunStage.Failed, step, null, failure);
        RunStage left = holder is not null ? RunStage.Abandoned : directory.IsStarted ? RunStage.PutAside : RunStage.Waiting;
        return new RunState(run, left, step, holder, null);
    }

    /// <summary>Steps that a checkpoint holds.</summary>
    private static long StepOf(RunDirectory directory)
    {
        if (!Directory.Exists(directory.CheckpointsPath)) return 0;
        try
        {
            return directory.Checkpoints().List()
                .Select(name => long.TryParse(name.AsSpan(name.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : 0)
                .DefaultIfEmpty(0).Max();
        }
        catch (DirectoryNotFoundException)
        {
            return 0;
        }
    }
}
