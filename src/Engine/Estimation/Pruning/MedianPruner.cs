using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>
/// Median stopping as in Optuna's MedianPruner (after Golovin et al. 2017): a run stops when its best loss so far is above the median of
/// what
/// earlier runs had at the same check.
/// </summary>
/// <param name="checks">Looks at a run.</param>
/// <param name="startup">Runs that are never stopped, to have a median.</param>
/// <param name="warmup">Checks at which no run is stopped.</param>
public sealed class MedianPruner(int checks = 20, int startup = 3, int warmup = 1) : SequentialPruner(checks)
{
    public override string Name => FormattableString.Invariant($"median {100.0 * warmup / Checks:0.#} %, {startup} runs first");

    protected internal override bool Stops(IReadOnlyList<double> history, IReadOnlyList<IReadOnlyList<double>> earlier)
    {
        if (earlier.Count < startup || history.Count <= warmup) return false;
        double[] there = [.. earlier.Where(h => h.Count >= history.Count).Select(h => h[history.Count - 1]).Where(double.IsFinite).Order()];
        return there.Length > 0 && history.Min() > Distributions.SampleQuantile(there, 0.5);
    }
}
