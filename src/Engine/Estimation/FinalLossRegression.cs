using System.Text.Json.Serialization;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation;

/// <summary>
/// The final loss of a run predicted from an early figure (a TSE, or an early loss) by a line through calibrated configurations, as in
/// Frey et al. 2023, figure 2; here between logarithms, so that what is predicted is positive by construction. Where some final loss is
/// not above 0 (a log likelihood), the line is one of the losses themselves.
/// </summary>
public sealed record FinalLossRegression
{
    /// <summary>Of the intervals that calibration is counted by.</summary>
    public const double CalibrationLevel = 0.95;

    /// <summary>Of log final loss, or of final loss.</summary>
    public required LinearRegression Line { get; init; }

    /// <summary>The line is of log final loss.</summary>
    public required bool LogarithmicLoss { get; init; }

    /// <summary>Its abscissa is the logarithm of the early figure; not so where some figure is not above 0.</summary>
    public required bool LogarithmicEarly { get; init; }

    /// <summary>Early figures and final losses it was fitted to, in order.</summary>
    public required IReadOnlyList<double> Early { get; init; }

    public required IReadOnlyList<double> Final { get; init; }

    /// <summary>Final loss minus its prediction from the other configurations; null where those leave no line.</summary>
    public required IReadOnlyList<double?> LeaveOneOutErrors { get; init; }

    /// <summary>Root mean square of <see cref="LeaveOneOutErrors"/>; null where any is.</summary>
    public required double? LeaveOneOutRms { get; init; }

    /// <summary>1 - sum of squared leave-one-out errors / total: what R2 is worth outside the calibration; null where the final losses do not vary.</summary>
    public required double? LeaveOneOutR2 { get; init; }

    /// <summary>Spearman's rho of early figures and final losses.</summary>
    public required double? Spearman { get; init; }

    /// <summary>Kendall's tau-b of the same.</summary>
    public required double? Kendall { get; init; }

    [JsonIgnore]
    private double LeastEarly => 1e-3 * Early.Min();

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
        bool logLoss = y.Min() > 0, logEarly = x.Min() > 0;
        double[] abscissas = [.. x.Select(v => logEarly ? Math.Log(v) : v)], ordinates = [.. y.Select(v => logLoss ? Math.Log(v) : v)];
        LinearRegression line = LinearRegression.Fit(abscissas, ordinates)
            ?? throw new InputException("final-loss regression", "the same early figure in every configuration", "figures that differ");
        double?[] errors = new double?[kept.Length];
        for (int i = 0; i < errors.Length; i++)
        {
            double free = 1 - line.Leverage(abscissas[i]);
            if (!(free > 1e-12)) continue;
            double predicted = ordinates[i] - (ordinates[i] - line.Predict(abscissas[i])) / free;
            errors[i] = y[i] - (logLoss ? Math.Exp(predicted) : predicted);
        }
        double squares = errors.Sum(e => e * e) ?? 0;
        bool whole = errors.All(e => e is not null);
        return new FinalLossRegression
        {
            Line = line,
            LogarithmicLoss = logLoss,
            LogarithmicEarly = logEarly,
            Early = x,
            Final = y,
            LeaveOneOutErrors = errors,
            LeaveOneOutRms = whole ? Math.Sqrt(squares / errors.Length) : null,
            LeaveOneOutR2 = whole && RankQuality.Total(y) is { } total ? 1 - squares / total : null,
            Spearman = Correlation.Spearman(x, y),
            Kendall = Correlation.KendallTauB(x, y),
        };
    }

    /// <summary>The regression of the other configurations; null where they leave none, or a line through two figures, which says nothing of its error.</summary>
    /// <param name="configuration">Index among <see cref="Early"/>.</param>
    public FinalLossRegression? Without(int configuration)
    {
        double[] x = [.. Early.Where((_, i) => i != configuration)], y = [.. Final.Where((_, i) => i != configuration)];
        return x.Length >= 3 && x.Distinct().Count() >= 3 ? Fit(x, y) : null;
    }

    /// <summary>Above 0 wherever the losses are. The median of what may come.</summary>
    public double Predict(double early) => Natural(Line.Predict(Abscissa(early)));

    /// <summary>Standard error of a further configuration there: what one of the logarithm adds to the prediction.</summary>
    public double? PredictionError(double early) =>
        Line.PredictionError(Abscissa(early)) is { } error ? LogarithmicLoss ? Predict(early) * (Math.Exp(error) - 1) : error : null;

    /// <summary>Interval that the final loss of a further configuration falls into.</summary>
    public ConfidenceInterval PredictionInterval(double early, double level = CalibrationLevel)
    {
        if (level is not (> 0 and < 1)) throw new InputException("level", $"{level}", "a number in (0, 1)");
        double at = Abscissa(early), centre = Line.Predict(at);
        double half = Distributions.StudentQuantile((1 + level) / 2, Line.Count - 2) * Line.PredictionError(at)!.Value;
        return new ConfidenceInterval(Natural(centre - half), Natural(centre + half), level);
    }

    /// <summary>
    /// Probability that the configuration with <paramref name="early"/> ends lower than the one with <paramref name="other"/>: Student's
    /// t of the
    /// predicted difference over its error, s sqrt(2 + (x1 - x2)^2 / Sxx).
    /// </summary>
    public double ProbabilityBetter(double early, double other)
    {
        double one = Abscissa(early), two = Abscissa(other);
        double difference = Line.Predict(two) - Line.Predict(one), gap = one - two;
        double error = Line.ResidualError!.Value * Math.Sqrt(2 + gap * gap / Line.SumSquaresX);
        return error > 0 ? Distributions.StudentCdf(difference / error, Line.Count - 2) : difference > 0 ? 1 : difference < 0 ? 0 : 0.5;
    }

    /// <summary>Probability that a further configuration with this early figure ends below a loss that is known.</summary>
    public double ProbabilityBelow(double early, double loss)
    {
        if (LogarithmicLoss && !(loss > 0)) return 0;
        double at = Abscissa(early), gap = (LogarithmicLoss ? Math.Log(loss) : loss) - Line.Predict(at), error = Line.PredictionError(at)!.Value;
        return error > 0 ? Distributions.StudentCdf(gap / error, Line.Count - 2) : gap > 0 ? 1 : gap < 0 ? 0 : 0.5;
    }

    // A figure that is not above 0 among others that were: as near to 0 as makes no difference.
    private double Abscissa(double early) => LogarithmicEarly ? Math.Log(Math.Max(early, LeastEarly)) : early;

    private double Natural(double ordinate) => LogarithmicLoss ? Math.Exp(ordinate) : ordinate;
}

/// <summary>How well predicted final losses order the configurations, over those given.</summary>
/// <param name="Count">Configurations with both numbers finite.</param>
/// <param name="R2">1 - sum of squared prediction errors / total; null where undefined.</param>
/// <param name="Spearman">Rho; null where undefined.</param>
/// <param name="Kendall">Tau-b; null where undefined.</param>
public sealed record RankQuality(int Count, double? R2, double? Spearman, double? Kendall)
{
    /// <summary>Fewer runs say nothing of an order: two of them have a rho of 1 or -1 whatever they are.</summary>
    public const int FewestRuns = 4;

    /// <param name="predicted">Predicted final losses, or early figures; only pairs of finite numbers count.</param>
    /// <param name="final">True ones.</param>
    public static RankQuality Of(IReadOnlyList<double> predicted, IReadOnlyList<double> final)
    {
        int[] kept = [.. Enumerable.Range(0, final.Count).Where(i => double.IsFinite(predicted[i]) && double.IsFinite(final[i]))];
        if (kept.Length < FewestRuns) return new RankQuality(kept.Length, null, null, null);
        double[] x = [.. kept.Select(i => predicted[i])], y = [.. kept.Select(i => final[i])];
        if (Total(y) is not { } total) return new RankQuality(kept.Length, null, null, null);
        double squares = x.Zip(y, (p, t) => (p - t) * (p - t)).Sum();
        return new RankQuality(kept.Length, 1 - squares / total, Correlation.Spearman(x, y), Correlation.KendallTauB(x, y));
    }

    /// <summary>Sum of squares about the mean; null where the losses differ by rounding alone.</summary>
    internal static double? Total(IReadOnlyList<double> losses)
    {
        double mean = losses.Average();
        return losses.Max() - losses.Min() > 1e-9 * Math.Max(Math.Abs(losses.Max()), Math.Abs(losses.Min())) ? losses.Sum(v => (v - mean) * (v - mean)) : null;
    }
}
