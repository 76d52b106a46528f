namespace ChemScale.Engine.Estimation.Selection;

/// <summary>What a search cost against running every configuration to its end. Any unit: steps, FLOP, seconds, kJ.</summary>
/// <param name="Probes">Spent on runs until they were stopped, and on the first part of those finished.</param>
/// <param name="Finishes">Spent on bringing runs to their end.</param>
/// <param name="Full">All runs to their end.</param>
public sealed record ComputeSaved(double Probes, double Finishes, double Full)
{
    /// <summary>1 - (probes + finishes) / full.</summary>
    public double Share => 1 - (Probes + Finishes) / Full;

    /// <summary>
    /// All <paramref name="runs"/> probed at a fraction f, <paramref name="finished"/> of them brought to the end: 1 - f - (1 - f) k / n,
    /// which
    /// for one finish is (1 - f)(1 - 1/n).
    /// </summary>
    public static ComputeSaved Of(int runs, double fraction, int finished = 1)
    {
        if (runs < 1 || finished < 0 || finished > runs)
            throw new InputException("runs", $"{finished} finished of {runs}", "0 <= finished <= runs");
        if (fraction is not (> 0 and <= 1)) throw new InputException("probe fraction", $"{fraction}", "a number in (0, 1]");
        return new ComputeSaved(runs * fraction, finished * (1 - fraction), runs);
    }

    /// <summary>From what each run costs in full: its probe's share, and the rest for those finished.</summary>
    public static ComputeSaved Of(IReadOnlyList<double> fullCosts, IReadOnlyList<double> probedFractions, IEnumerable<int> finished) => new(
        fullCosts.Zip(probedFractions, (cost, fraction) => cost * fraction).Sum(),
        finished.Distinct().Sum(i => fullCosts[i] * (1 - probedFractions[i])),
        fullCosts.Sum());
}
