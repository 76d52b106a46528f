using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Training;

/// <summary>What concerns one session of a run and not its result.</summary>
public sealed record TrainerOptions
{
    /// <summary>
    /// Go on where the directory's run stands; a directory without a run begins one, a complete one gives its result at once.
    /// </summary>
    public bool Resume { get; init; }

    /// <summary>
    /// Put the run aside, with a checkpoint, when this many steps are done. The schedule stays that of the full length, so a
    /// probe can be resumed to the end.
    /// </summary>
    public long? StopAtStep { get; init; }

    /// <summary>A claim on the run directory that the caller holds already, and keeps; null: one is taken for the session.</summary>
    public RunClaim? Claim { get; init; }

    /// <summary>
    /// Called once the directory is claimed and holds the experiment, before anything is trained: puts in what else the run is to carry
    /// (<see cref="RunDirectory.Keep"/>). What it throws ends the session.
    /// </summary>
    public Action<RunDirectory> Begin { get; init; } = static _ => { };

    /// <summary>Told after each step, on the training thread.</summary>
    public IProgress<StepReport>? Progress { get; init; }

    /// <summary>Plain one-line warnings.</summary>
    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>Cancelling writes a checkpoint after the step in progress and ends the session.</summary>
    public CancellationToken CancellationToken { get; init; }
}
