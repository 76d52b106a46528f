namespace ChemScale.Engine.Estimation.Selection;

/// <summary>
/// Which probed runs to finish when all that may still be the best are to be: first a few, spread over the more promising half, to
/// calibrate the regression of final losses on early figures; then, as long as one is left whose probability to end below the best final
/// loss seen is not small, the most promising of those. The calibration is paid for like everything else.
/// </summary>
internal static class UndecidedRule
{
    public const double UsualDoubt = 0.05;
    public const int UsualCalibration = 4;

    /// <param name="early">Figure of each run's probe, the lower the better; infinite where it diverged.</param>
    /// <param name="final">Final loss of those finished, infinite where it diverged later; NaN of the others.</param>
    /// <param name="doubt">Probability from which on a run is undecided.</param>
    /// <param name="calibration">Runs to calibrate on.</param>
    /// <param name="most">Runs to finish at a time, once calibrated.</param>
    /// <returns>Indices, most promising first; empty when nothing is undecided.</returns>
    public static IReadOnlyList<int> Next(IReadOnlyList<double> early, IReadOnlyList<double> final, double doubt = UsualDoubt,
        int calibration = UsualCalibration, int most = 1)
    {
        if (doubt is not (> 0 and < 0.5)) throw new InputException("doubt", $"{doubt}", "a probability in (0, 0.5)");
        if (calibration < 3) throw new InputException("calibration", $"{calibration}", "3 runs or more");
        if (most < 1) throw new InputException("runs at a time", $"{most}", "at least 1");
        int[] ranked = [.. Enumerable.Range(0, early.Count).Where(i => double.IsFinite(early[i])).OrderBy(i => early[i])];
        int[] open = [.. ranked.Where(i => double.IsNaN(final[i]))];
        int[] wanted = [.. Calibration(ranked, calibration).Where(i => double.IsNaN(final[i]))];
        if (wanted.Length > 0) return wanted;
        int[] known = [.. ranked.Where(i => double.IsFinite(final[i]))];
        // A run of the calibration that diverged later is made up for.
        if (known.Length < 3 || known.Select(i => early[i]).Distinct().Count() < 2) return [.. open.Take(1)];
        var regression = FinalLossRegression.Fit([.. known.Select(i => early[i])], [.. known.Select(i => final[i])]);
        double best = known.Min(i => final[i]);
        return [.. open.Where(i => regression.ProbabilityBelow(early[i], best) >= doubt).OrderByDescending(i => regression.ProbabilityBelow(early[i], best))
            .Take(most)];
    }

    private static IEnumerable<int> Calibration(int[] ranked, int count)
    {
        // The worse half would bend the line that is to tell the promising apart.
        int last = Math.Min(ranked.Length, Math.Max(count, (ranked.Length + 1) / 2)) - 1;
        return Enumerable.Range(0, Math.Min(count, ranked.Length)).Select(k => ranked[(int)Math.Round(k * last / (double)(count - 1))]).Distinct();
    }
}
