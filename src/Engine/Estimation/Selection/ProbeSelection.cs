using ChemScale.Engine.Estimation.Curves;

namespace ChemScale.Engine.Estimation.Selection;

/// <summary>What a selection decided about one configuration.</summary>
/// <param name="Name">Of the run.</param>
/// <param name="Estimate">Early figure; infinite, and so null, where the run diverged.</param>
/// <param name="Predicted">Final loss by the regression; null without one, or where the run diverged.</param>
/// <param name="PredictedError">Its standard error.</param>
/// <param name="Rank">From 1 for the most promising.</param>
/// <param name="Kept">Goes on to the end.</param>
/// <param name="Diverged">Some loss of the probe is not a number.</param>
public sealed record ProbeVerdict(string Name, double? Estimate, double? Predicted, double? PredictedError, int Rank, bool Kept,
    bool Diverged);

/// <summary>Which runs go on after the probe, decided from <see cref="ProbeView"/>s and nothing else.</summary>
/// <param name="Verdicts">In the order of the probes.</param>
/// <param name="Best">Index of the most promising.</param>
/// <param name="Kept">Indices of those that go on, most promising first.</param>
/// <param name="Saved">Against running all to the end, in steps.</param>
public sealed record ProbeSelection(IReadOnlyList<ProbeVerdict> Verdicts, int Best, IReadOnlyList<int> Kept, ComputeSaved Saved)
{
    /// <summary>Keeps the <paramref name="count"/> most promising; ties go to the earlier.</summary>
    /// <exception cref="InputException">There is no probe, or every one diverged.</exception>
    public static ProbeSelection KeepBest(IReadOnlyList<ProbeView> probes, ProbeEstimator estimator = ProbeEstimator.Tse, int count = 1,
        FinalLossRegression? regression = null)
    {
        if (count < 1) throw new InputException("kept runs", $"{count}", "at least 1");
        return Decide(probes, estimator, regression, (ranked, _) => ranked.Take(count));
    }

    /// <summary>
    /// Keeps the most promising and every other run that may still end below it: whose probability to do so, by the regression's error,
    /// is at
    /// least <paramref name="doubt"/>.
    /// </summary>
    /// <exception cref="InputException">There is no probe, or every one diverged.</exception>
    public static ProbeSelection KeepUndecided(IReadOnlyList<ProbeView> probes, FinalLossRegression regression,
        ProbeEstimator estimator = ProbeEstimator.Tse, double doubt = 0.05)
    {
        if (doubt is not (> 0 and < 0.5)) throw new InputException("doubt", $"{doubt}", "a probability in (0, 0.5)");
        return Decide(probes, estimator, regression,
            (ranked, early) => ranked.Where((i, rank) => rank == 0 || regression.ProbabilityBetter(early[i], early[ranked[0]]) >= doubt));
    }

    private static ProbeSelection Decide(IReadOnlyList<ProbeView> probes, ProbeEstimator estimator, FinalLossRegression? regression,
        Func<int[], double[], IEnumerable<int>> keep)
    {
        if (probes.Count == 0) throw new InputException("selection", "no probes", "at least one");
        double[] early = [.. probes.Select(p => estimator.Of(p))];
        // A falling line (never seen, but a user may bring one) would turn the order round.
        double sign = regression?.Line.Slope < 0 ? -1 : 1;
        int[] ranked = [.. Enumerable.Range(0, early.Length).OrderBy(i => double.IsFinite(early[i]) ? 0 : 1).ThenBy(i => sign * early[i])];
        int[] alive = [.. ranked.Where(i => double.IsFinite(early[i]))];
        if (alive.Length == 0)
            throw new InputException("selection", "every probe diverged", "at least one finite loss", "try lower learning rates");
        int[] kept = [.. keep(alive, early)];
        int[] places = new int[early.Length];
        for (int place = 0; place < ranked.Length; place++) places[ranked[place]] = place + 1;
        ProbeVerdict[] verdicts = [.. probes.Select((p, i) => Judge(p, i))];
        return new ProbeSelection(verdicts, alive[0], kept, ComputeSaved.Of(probes, kept));

        ProbeVerdict Judge(ProbeView probe, int i)
        {
            bool finite = double.IsFinite(early[i]);
            return new ProbeVerdict(probe.Name, finite ? early[i] : null, finite ? regression?.Predict(early[i]) : null,
                finite ? regression?.PredictionError(early[i]) : null, places[i], kept.Contains(i), !finite);
        }
    }
}

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

    /// <summary>In steps of the runs: their probes, branches included, and what was left of those finished.</summary>
    internal static ComputeSaved Of(IReadOnlyList<ProbeView> probes, IEnumerable<int> finished)
    {
        var plain = Of([.. probes.Select(p => (double)p.FullLength)], [.. probes.Select(p => p.Fraction)], finished);
        return plain with { Probes = plain.Probes + probes.Sum(p => p.FullLength * p.CooledFraction) };
    }

    /// <summary>From what each run costs in full: its probe's share, and the rest for those finished.</summary>
    public static ComputeSaved Of(IReadOnlyList<double> fullCosts, IReadOnlyList<double> probedFractions, IEnumerable<int> finished) => new(
        fullCosts.Zip(probedFractions, (cost, fraction) => cost * fraction).Sum(),
        finished.Distinct().Sum(i => fullCosts[i] * (1 - probedFractions[i])),
        fullCosts.Sum());
}
