using System.Text.Json.Serialization;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation;

/// <summary>
/// The final loss of a run predicted from an early figure (a TSE, or an early loss) by a line through calibrated configurations, as in
/// Frey et
/// al. 2023, figure 2.
/// </summary>
public sealed record FinalLossRegression
{
    public required LinearRegression Line { get; init; }

    /// <summary>Early figures and final losses it was fitted to, in order.</summary>
    public required IReadOnlyList<double> Early { get; init; }

    public required IReadOnlyList<double> Final { get; init; }

    /// <summary>Final loss minus its prediction from the other configurations; null where those leave no line.</summary>
    public required IReadOnlyList<double?> LeaveOneOutErrors { get; init; }

    /// <summary>Root mean square of <see cref="LeaveOneOutErrors"/>; null where any is.</summary>
    public required double? LeaveOneOutRms { get; init; }

    /// <summary>1 - sum of squared leave-one-out errors / total: what R2 is worth outside the calibration.</summary>
    public required double? LeaveOneOutR2 { get; init; }

    /// <summary>Spearman's rho of early figures and final losses.</summary>
    public required double? Spearman { get; init; }

    /// <summary>Kendall's tau-b of the same.</summary>
    public required double? Kendall { get; init; }

    [JsonIgnore]
    public double? R2 => Line.R2;

    /// <summary>Fits; pairs of which one is not finite (diverged runs) are left out.</summary>
    /// <param name="early">One figure a configuration.</param>
    /// <param name="final">Its final loss.</param>
    /// <exception cref="InputException">Fewer than three finite pairs, or all early figures equal.</exception>
    public static FinalLossRegression Fit(IReadOnlyList<double> early, IReadOnlyList<double> final)
    {
        if (early.Count != final.Count)
            throw new ArgumentException($"{early.Count} early figures, {final.Count} final losses", nameof(final));
        int[] kept = [.. Enumerable.Range(0, early.Count).Where(i => double.IsFinite(early[i]) && double.IsFinite(final[i]))];
        double[] x = [.. kept.Select(i => early[i])], y = [.. kept.Select(i => final[i])];
        if (kept.Length < 3)
            throw new InputException("final-loss regression", $"{kept.Length} configurations with finite losses", "at least 3");
        LinearRegression line = LinearRegression.Fit(x, y)
            ?? throw new InputException("final-loss regression", "the same early figure in every configuration", "figures that differ");
        double?[] errors = new double?[kept.Length];
        for (int i = 0; i < errors.Length; i++)
        {
            double free = 1 - line.Leverage(x[i]);
            errors[i] = free > 1e-12 ? (y[i] - line.Predict(x[i])) / free : null;
        }
        double mean = y.Average(), total = y.Sum(v => (v - mean) * (v - mean)), squares = errors.Sum(e => e * e) ?? 0;
        bool whole = errors.All(e => e is not null);
        return new FinalLossRegression
        {
            Line = line,
            Early = x,
            Final = y,
            LeaveOneOutErrors = errors,
            LeaveOneOutRms = whole ? Math.Sqrt(squares / errors.Length) : null,
            LeaveOneOutR2 = whole && total > 0 ? 1 - squares / total : null,
            Spearman = Correlation.Spearman(x, y),
            Kendall = Correlation.KendallTauB(x, y),
        };
    }

    public double Predict(double early) => Line.Predict(early);

    /// <summary>Interval that the final loss of a further configuration falls into.</summary>
    public ConfidenceInterval PredictionInterval(double early, double level = 0.95)
    {
        if (level is not (> 0 and < 1)) throw new InputException("level", $"{level}", "a number in (0, 1)");
        double centre = Predict(early);
        double half = Distributions.StudentQuantile((1 + level) / 2, Line.Count - 2) * Line.PredictionError(early)!.Value;
        return new ConfidenceInterval(centre - half, centre + half, level);
    }

    /// <summary>
    /// Probability that the configuration with <paramref name="early"/> ends lower than the one with <paramref name="other"/>: Student's
    /// t of the
    /// predicted difference over its error, s sqrt(2 + (x1 - x2)^2 / Sxx).
    /// </summary>
    public double ProbabilityBetter(double early, double other)
    {
        double difference = Predict(other) - Predict(early), gap = early - other;
        double error = Line.ResidualError!.Value * Math.Sqrt(2 + gap * gap / Line.SumSquaresX);
        return error > 0 ? Distributions.StudentCdf(difference / error, Line.Count - 2) : difference > 0 ? 1 : difference < 0 ? 0 : 0.5;
    }

    /// <summary>Probability that a further configuration with this early figure ends below a loss that is known.</summary>
    public double ProbabilityBelow(double early, double loss)
    {
        double gap = loss - Predict(early), error = Line.PredictionError(early)!.Value;
        return error > 0 ? Distributions.StudentCdf(gap / error, Line.Count - 2) : gap > 0 ? 1 : gap < 0 ? 0 : 0.5;
    }
}

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
