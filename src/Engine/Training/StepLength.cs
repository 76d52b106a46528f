namespace ChemScale.Engine.Training;

/// <summary>How micro-batches make optimizer steps and steps make epochs: the last step of an epoch takes what is left of it.</summary>
internal readonly record struct StepLength(long BatchesPerEpoch, int Accumulation)
{
    public long StepsPerEpoch => (BatchesPerEpoch + Accumulation - 1) / Accumulation;

    /// <param name="step">From 0.</param>
    public int BatchesOf(long step) =>
        (int)Math.Min(Accumulation, BatchesPerEpoch - step % StepsPerEpoch * Accumulation);
}
