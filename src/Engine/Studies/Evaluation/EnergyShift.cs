namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// What is left of the errors of energy when a constant is taken from every prediction: reference sets often differ by one. Only
/// meaningful for frames of one composition.
/// </summary>
/// <param name="Offset">eV: the median of prediction less reference, which makes the mean absolute error least.</param>
/// <param name="Frames">How many frames this was taken from.</param>
/// <param name="Exact">These were all of them; otherwise a sample.</param>
/// <param name="Energy">Of these frames, after the offset is taken away.</param>
public sealed record EnergyShift(double Offset, long Frames, bool Exact, EnergyErrors Energy)
{
    /// <param name="sample">Error in eV and atoms of each frame; null where there is none.</param>
    internal static EnergyShift? Of(ThinnedSample<(double Error, int Atoms)> sample)
    {
        if (sample.Count == 0) return null;
        double[] sorted = [.. sample.Items.Select(item => item.Error).Order()];
        double offset = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        ErrorSums total = new(), perAtom = new();
        foreach ((double error, int atoms) in sample.Items)
        {
            total.Add(error - offset);
            perAtom.Add((error - offset) / atoms);
        }
        return new EnergyShift(offset, sample.Count, sample.IsComplete, EnergyErrors.Of(total, perAtom)!);
    }
}
