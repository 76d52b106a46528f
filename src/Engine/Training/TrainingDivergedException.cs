namespace ChemScale.Engine.Training;

/// <summary>A loss or gradient stopped being a number; the weights of that step were not updated.</summary>
/// <param name="step">Steps done before the one that failed.</param>
/// <param name="what">The quantity, with its value.</param>
/// <param name="lastCheckpoint">Path of the last good checkpoint; null where there is none.</param>
public sealed class TrainingDivergedException(long step, string what, string? lastCheckpoint)
    : Exception($"training diverged at step {step}: {what}; last good checkpoint: {lastCheckpoint ?? "none"}"
        + ". HINT: lower the learning rate, lengthen the warm-up or set training.clipNorm")
{
    public long Step { get; } = step;

    public string? LastCheckpoint { get; } = lastCheckpoint;
}
