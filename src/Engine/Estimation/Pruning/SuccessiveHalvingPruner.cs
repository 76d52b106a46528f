namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>
/// Successive halving (Jamieson and Talwalkar 2016): all runs to a first rung; of each rung the best 1/eta go on to one eta times as far.
/// </summary>
public sealed class SuccessiveHalvingPruner(double leastFraction = 0.1, double eta = 3) : IPruner
{
    public string Name => FormattableString.Invariant($"successive halving {100 * leastFraction:0.#} %, 1/{eta:0.#}");

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        var rungs = new Rungs(runs);
        Halve(rungs, [.. Enumerable.Range(0, runs.Count)], leastFraction, eta);
        return rungs.Choice();
    }

    /// <summary>Halves some of the runs; rungs are numbered so that the last, at the whole budget, is the highest everywhere.</summary>
    internal static void Halve(Rungs rungs, int[] alive, double leastFraction, double eta)
    {
        double[] fractions = Rungs.Fractions(leastFraction, eta);
        for (int k = 0; k < fractions.Length && alive.Length > 0; k++)
        {
            (int Run, double Loss)[] seen = [.. alive.Select(i => (i, rungs.Climb(i, k - fractions.Length, fractions[k])))
                .OrderBy(s => s.Item2)];
            alive = [.. seen.Where(s => double.IsFinite(s.Loss)).Take(Math.Max(1, (int)(alive.Length / eta))).Select(s => s.Run)];
        }
    }
}
