using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>
/// Hyperband (Li et al. 2018, arXiv 1603.06560) over a given set of runs: brackets of successive halving that begin at eta^-s of the
/// budget,
/// s = s_max .. 0, share the runs, shuffled by seed, in the proportions of the original.
/// </summary>
public sealed class HyperbandPruner(double leastFraction = 0.1, double eta = 3, ulong seed = 0) : IPruner
{
    public string Name => FormattableString.Invariant($"Hyperband {100 * leastFraction:0.#} %, 1/{eta:0.#}");

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        int brackets = Rungs.Fractions(leastFraction, eta).Length;
        double[] shares = [.. Enumerable.Range(0, brackets).Select(k => brackets - 1 - k)
            .Select(s => Math.Ceiling(brackets / (s + 1.0) * Math.Pow(eta, s)))];
        int[] order = [.. Enumerable.Range(0, runs.Count)];
        var random = new CounterRandom(seed, 0);
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = random.NextInt(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        var rungs = new Rungs(runs);
        double total = shares.Sum(), sum = 0;
        for (int k = 0, from = 0; k < brackets; k++)
        {
            sum += shares[k];
            int to = (int)Math.Round(runs.Count * sum / total);
            SuccessiveHalvingPruner.Halve(rungs, order[from..to], Math.Max(leastFraction, Math.Pow(eta, k + 1 - brackets)), eta);
            from = to;
        }
        return rungs.Choice();
    }
}
