using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation;

/// <summary>How well predicted final losses order the configurations, over those given.</summary>
/// <param name="Count">Configurations with both numbers finite.</param>
/// <param name="R2">1 - sum of squared prediction errors / total; null where undefined.</param>
/// <param name="Spearman">Rho; null where undefined.</param>
/// <param name="Kendall">Tau-b; null where undefined.</param>
public sealed record RankQuality(int Count, double? R2, double? Spearman, double? Kendall)
{
    /// <summary>
    /// Over all configurations, or over those that end within a share of the best loss: a diverged learning rate makes any R2 look like 1.
    /// </summary>
    /// <param name="predicted">Predicted final losses.</param>
    /// <param name="final">True ones.</param>
    /// <param name="withinShare">0.2: those whose final loss is at most 1.2 times the best; null: all.</param>
    public static RankQuality Of(IReadOnlyList<double> predicted, IReadOnlyList<double> final, double? withinShare = null)
    {
        int[] kept = [.. Enumerable.Range(0, final.Count).Where(i => double.IsFinite(predicted[i]) && double.IsFinite(final[i]))];
        if (withinShare is { } share && kept.Length > 0)
        {
            double best = kept.Min(i => final[i]), limit = best + share * Math.Abs(best);
            kept = [.. kept.Where(i => final[i] <= limit)];
        }
        if (kept.Length < 2) return new RankQuality(kept.Length, null, null, null);
        double[] x = [.. kept.Select(i => predicted[i])], y = [.. kept.Select(i => final[i])];
        double mean = y.Average(), total = y.Sum(v => (v - mean) * (v - mean)), squares = x.Zip(y, (p, t) => (p - t) * (p - t)).Sum();
        return new RankQuality(kept.Length, total > 0 ? 1 - squares / total : null, Correlation.Spearman(x, y),
            Correlation.KendallTauB(x, y));
    }
}
