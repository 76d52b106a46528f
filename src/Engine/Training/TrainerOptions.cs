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

    /// <summary>
    /// A run that is put aside, and whose steps so far are the first ones of this experiment too: a run that has no checkpoint of its own yet
    /// begins with them instead of training them again, to the same bits. Null: from the start.
    /// </summary>
    public RunDirectory? Trunk { get; init; }

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

/// <summary>What a progress display shows after each optimizer step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Epoch">From 0.</param>
/// <param name="Loss">Mean training loss of the step.</param>
/// <param name="ValidationLoss">The latest one; null before the first.</param>
/// <param name="LearningRate">Of this step.</param>
/// <param name="GradientNorm">Global L2 norm before clipping.</param>
/// <param name="Items">Tokens or frames of this step.</param>
/// <param name="ItemsSeen">Tokens or frames since the run began.</param>
/// <param name="ItemsPerSecond">Of this step.</param>
/// <param name="ItemName">What is counted.</param>
/// <param name="Seconds">Since the run began, all sessions together.</param>
public readonly record struct StepReport(
    long Step,
    long TotalSteps,
    long Epoch,
    double Loss,
    double? ValidationLoss,
    double LearningRate,
    double GradientNorm,
    long Items,
    long ItemsSeen,
    double ItemsPerSecond,
    string ItemName,
    double Seconds);

/// <summary>How micro-batches make optimizer steps and steps make epochs: the last step of an epoch takes what is left of it.</summary>
internal readonly record struct StepLength(long BatchesPerEpoch, int Accumulation)
{
    public long StepsPerEpoch => (BatchesPerEpoch + Accumulation - 1) / Accumulation;

    /// <param name="step">From 0.</param>
    public int BatchesOf(long step) =>
        (int)Math.Min(Accumulation, BatchesPerEpoch - step % StepsPerEpoch * Accumulation);
}

/// <summary>A loss or gradient stopped being a number; the weights of that step were not updated.</summary>
/// <param name="step">Steps done before the one that failed.</param>
/// <param name="what">The quantity, with its value.</param>
/// <param name="lastCheckpoint">Path of the last good checkpoint; null where there is none.</param>
internal sealed class TrainingDivergedException(long step, string what, string? lastCheckpoint)
    : Exception($"training diverged at step {step}: {what}; last good checkpoint: {lastCheckpoint ?? "none"}"
        + ". HINT: lower the learning rate, lengthen the warm-up or set training.clipNorm")
{
    public long Step { get; } = step;

    public string? LastCheckpoint { get; } = lastCheckpoint;
}
