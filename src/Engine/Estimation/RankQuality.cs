using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation;

/// <summary>How well predicted final losses order the configurations, over those given.</summary>
/// <param name="Count">Configurations with both numbers finite.</param>
/// <param name="R2">1 - sum of squared prediction errors / total; null where undefined.</param>
/// <param name="Spearman">Rho; null where undefined.</param>
/// <param name="Kendall">Tau-b; null where undefined.</param>
public sealed record RankQuality(int Count, double? R2, double? Spearman, double? Kendall)
{
    /// <param name="predicted">Predicted final losses, or early figures; only pairs of finite numbers count.</param>
    /// <param name="final">True ones.</param>
    public static RankQuality Of(IReadOnlyList<double> predicted, IReadOnlyList<double> final)
    {
        int[] kept = [.. Enumerable.Range(0, final.Count).Where(i => double.IsFinite(predicted[i]) && double.IsFinite(final[i]))];
        if (kept.Length < 2) return new RankQuality(kept.Length, null, null, null);
        double[] x = [.. kept.Select(i => predicted[i])], y = [.. kept.Select(i => final[i])];
        double mean = y.Average(), total = y.Sum(v => (v - mean) * (v - mean)), squares = x.Zip(y, (p, t) => (p - t) * (p - t)).Sum();
        return new RankQuality(kept.Length, total > 0 ? 1 - squares / total : null, Correlation.Spearman(x, y),
            Correlation.KendallTauB(x, y));
    }
}
