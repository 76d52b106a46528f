namespace ChemScale.Engine.Training.Tasks;

/// <summary>Errors of energies, forces and stress summed over batches, so that the means do not depend on how frames were batched.</summary>
internal sealed class LabelErrors
{
    private readonly double[] weights = new double[3];
    private readonly double[] measures = new double[3];
    private readonly double[] absolutes = new double[3];
    private readonly long[] counts = new long[3];
    private double perAtom;

    /// <summary>The weighted sum of mean errors.</summary>
    public double Loss => Enumerable.Range(0, 3).Where(k => counts[k] > 0).Sum(k => weights[k] * measures[k] / counts[k]);

    /// <param name="kind">0: energies, 1: forces, 2: stress.</param>
    /// <param name="weight">In the loss.</param>
    /// <param name="measure">Summed errors as the loss measures them.</param>
    /// <param name="absolute">Summed absolute errors.</param>
    /// <param name="count">Labels summed over.</param>
    public void Add(int kind, double weight, double measure, double absolute, long count)
    {
        weights[kind] = weight;
        measures[kind] += measure;
        absolutes[kind] += absolute;
        counts[kind] += count;
    }

    /// <param name="absolute">Absolute errors of energies in eV, each divided by the frame's atoms, summed.</param>
    public void AddPerAtom(double absolute) => perAtom += absolute;

    /// <summary>Mean absolute errors of what has labels: eV, eV/A, eV/A^3; per atom in meV.</summary>
    public IEnumerable<KeyValuePair<string, double>> MeanAbsolute(string prefix)
    {
        if (counts[0] > 0)
        {
            yield return new(prefix + "energy_mae", absolutes[0] / counts[0]);
            yield return new(prefix + "energy_mae_mev_per_atom", 1000 * perAtom / counts[0]);
        }
        if (counts[1] > 0) yield return new(prefix + "force_mae", absolutes[1] / counts[1]);
        if (counts[2] > 0) yield return new(prefix + "stress_mae", absolutes[2] / counts[2]);
    }
}
