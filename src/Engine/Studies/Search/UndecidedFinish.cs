using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Studies.Search;

/// <summary>Finishes probed configurations until none is left undecided (<see cref="UndecidedRule"/>).</summary>
public static class UndecidedFinish
{
    /// <param name="probes">Of all configurations.</param>
    /// <param name="estimator">Early figure.</param>
    /// <param name="most">Configurations to finish side by side.</param>
    /// <param name="finish">Brings those of these indices to the end; their final losses, in order, infinite where they diverged.</param>
    /// <returns>The kept are those finished; the best of them by its final loss.</returns>
    /// <exception cref="InputException">Every configuration diverged.</exception>
    public static ProbeSelection Run(IReadOnlyList<ProbeView> probes, ProbeEstimator estimator, int most, Func<IReadOnlyList<int>, IReadOnlyList<double>> finish)
    {
        double[] early = [.. probes.Select(p => estimator.Of(p))], final = [.. probes.Select(_ => double.NaN)];
        while (UndecidedRule.Next(early, final, most: most) is { Count: > 0 } next)
        {
            IReadOnlyList<double> losses = finish(next);
            for (int k = 0; k < next.Count; k++) final[next[k]] = double.IsFinite(losses[k]) ? losses[k] : double.PositiveInfinity;
        }
        int[] kept = [.. Enumerable.Range(0, final.Length).Where(i => !double.IsNaN(final[i])).OrderBy(i => final[i])];
        if (kept.Length == 0 || !double.IsFinite(final[kept[0]]))
            throw new InputException("selection", "every configuration diverged", "at least one finite loss", "try lower learning rates");
        ProbeSelection ranked = ProbeSelection.KeepBest(probes, estimator);
        return ranked with
        {
            Verdicts = [.. ranked.Verdicts.Select((v, i) => v with { Kept = kept.Contains(i) })],
            Best = kept[0],
            Kept = kept,
            Saved = ComputeSaved.Of([.. probes.Select(p => (double)p.FullLength)], [.. probes.Select(p => p.Fraction)], kept),
        };
    }
}
