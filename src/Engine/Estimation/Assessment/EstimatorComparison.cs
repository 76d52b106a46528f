using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Assessment;

/// <summary>
/// Estimators held against one another on searches that were run to the end, each search once for every seed: the same configurations, the
/// same cost of probes. Intervals are percentiles of a bootstrap of seeds and of configurations together; differences are paired.
/// </summary>
/// <param name="Rows">In the order of the estimators.</param>
/// <param name="Ceiling">What an estimator that knew another seed's final losses would do: the noise that no probe can be better than.</param>
/// <param name="Noise">Standard deviation of a configuration's log final loss over seeds, pooled; null with one seed.</param>
internal sealed record EstimatorComparison(IReadOnlyList<EstimatorRow> Rows, EstimatorRow? Ceiling, double? Noise)
{
    /// <summary>First choices counted for <see cref="EstimatorRow.BestAmong"/>.</summary>
    public static readonly IReadOnlyList<int> Firsts = [1, 2, 3];

    /// <summary>Of each estimator, rho of every resample; null where undefined.</summary>
    private IReadOnlyList<double?[]> Drawn { get; init; } = [];

    /// <summary>
    /// Several sets of searches, each counting the same: means of rho, of regrets and of first places; intervals of mean rho from the resamples
    /// of the sets, which must have been drawn with different seeds.
    /// </summary>
    /// <exception cref="InputException">None, or of different estimators.</exception>
    public static EstimatorComparison Together(IReadOnlyList<EstimatorComparison> sets)
    {
        if (sets.Count == 0 || sets.Any(s => s.Rows.Count != sets[0].Rows.Count || s.Drawn[0].Length != sets[0].Drawn[0].Length))
            throw new InputException("sets", "none, or different estimators or resamples", "the same for every set");
        double?[][] drawn = [.. sets[0].Rows.Select((_, e) => sets[0].Drawn[e].Select((_, r) => Mean(sets.Select(s => s.Drawn[e][r]))).ToArray())];
        EstimatorRow Mixed(EstimatorRow[] rows, double?[]? own) => rows[0] with
        {
            Spearman = Mean(rows.Select(r => r.Spearman)),
            Interval = own is null ? null : Percentiles(own.OfType<double>()),
            Difference = own is null || own == drawn[0] ? null : Less(own, drawn[0]),
            Regret = rows.Average(r => r.Regret),
            WorstRegret = rows.Max(r => r.WorstRegret),
            BestAmong = [.. Firsts.Select((_, k) => rows.Average(r => r.BestAmong[k]))],
        };
        return new EstimatorComparison([.. drawn.Select((d, e) => Mixed([.. sets.Select(s => s.Rows[e])], d))],
            sets.All(s => s.Ceiling is not null) ? Mixed([.. sets.Select(s => s.Ceiling!)], null) : null, null)
        { Drawn = drawn };

        static double? Mean(IEnumerable<double?> values) => values.All(v => v is not null) ? values.Average() : null;
    }

    /// <param name="names">Of the estimators; the first is what the others are compared with.</param>
    /// <param name="searches">One for each seed: final losses of the configurations, and their figures by estimator; infinite where they diverged.</param>
    /// <param name="resamples">Of the bootstrap.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <exception cref="InputException">No search, or searches of different configurations.</exception>
    public static EstimatorComparison Of(IReadOnlyList<string> names, IReadOnlyList<EstimatorTrial> searches, int resamples = 2000, ulong seed = 42)
    {
        if (searches.Count == 0) throw new InputException("searches", "none", "one for each seed");
        int count = searches[0].Final.Count;
        if (searches.Any(s => s.Final.Count != count || s.Early.Count != names.Count || s.Early.Any(e => e.Count != count)))
            throw new InputException("searches", "different configurations or estimators", "the same for every seed");
        var resample = new int[resamples][];
        var seeds = new int[resamples][];
        var random = new CounterRandom(seed, 0);
        for (int r = 0; r < resamples; r++)
        {
            resample[r] = [.. Enumerable.Range(0, count).Select(_ => (int)(random.NextDouble() * count))];
            seeds[r] = [.. searches.Select(_ => (int)(random.NextDouble() * searches.Count))];
        }
        double?[][] drawn = [.. names.Select((_, e) => Resampled([.. searches.Select(s => (s.Early[e], s.Final))], resample, seeds))];
        EstimatorRow[] rows = [.. names.Select((name, e) => Row(name, [.. searches.Select(s => (s.Early[e], s.Final))], drawn[e], e == 0 ? null : drawn[0]))];
        if (searches.Count < 2) return new EstimatorComparison(rows, null, null) { Drawn = drawn };
        // Every ordered pair of seeds: the one's final losses as figures for the other's.
        (IReadOnlyList<double>, IReadOnlyList<double>)[] pairs = [.. from a in searches from b in searches where a != b select (a.Final, b.Final)];
        double squares = 0;
        int degrees = 0;
        for (int i = 0; i < count; i++)
        {
            double[] logs = [.. searches.Select(s => Math.Log(s.Final[i])).Where(double.IsFinite)];
            if (logs.Length < 2) continue;
            squares += logs.Sum(x => (x - logs.Average()) * (x - logs.Average()));
            degrees += logs.Length - 1;
        }
        return new EstimatorComparison(rows, Row("another seed's final losses", pairs, null, null), degrees > 0 ? Math.Sqrt(squares / degrees) : null)
        { Drawn = drawn };
    }

    private static EstimatorRow Row(string name, (IReadOnlyList<double> Early, IReadOnlyList<double> Final)[] searches, double?[]? drawn, double?[]? baseline)
    {
        double?[] rho = [.. searches.Select(s => Rho(s.Early, s.Final))];
        double[] regret = [.. searches.Select(s => Regret(s.Early, s.Final))];
        return new EstimatorRow(name, rho.All(r => r is not null) ? rho.Average() : null, drawn is null ? null : Percentiles(drawn.OfType<double>()),
            drawn is null || baseline is null ? null : Less(drawn, baseline), regret.Average(), regret.Max(),
            [.. Firsts.Select(k => searches.Average(s => BestRank(s.Early, s.Final) <= k ? 1.0 : 0))]);
    }

    private static ConfidenceInterval? Percentiles(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length < 20 ? null : new ConfidenceInterval(sorted[(int)(0.025 * sorted.Length)], sorted[(int)Math.Ceiling(0.975 * sorted.Length) - 1], 0.95);
    }

    private static ConfidenceInterval? Less(double?[] drawn, double?[] baseline) =>
        Percentiles(drawn.Zip(baseline).Where(d => d.First is not null && d.Second is not null).Select(d => d.First!.Value - d.Second!.Value));

    private static double?[] Resampled((IReadOnlyList<double> Early, IReadOnlyList<double> Final)[] searches, int[][] configurations, int[][] seeds) =>
    [
        .. configurations.Select((chosen, r) =>
        {
            double?[] rho = [.. seeds[r].Select(s => Rho([.. chosen.Select(i => searches[s].Early[i])], [.. chosen.Select(i => searches[s].Final[i])]))];
            return rho.All(x => x is not null) ? rho.Average() : null;
        }),
    ];

    // A diverged configuration is the worst, whichever of the two it is infinite in.
    private static double? Rho(IReadOnlyList<double> early, IReadOnlyList<double> final) =>
        Correlation.Spearman([.. early.Select(Finite)], [.. final.Select(Finite)]);

    private static double Finite(double value) => double.IsFinite(value) ? value : 1e300;

    private static int Choice(IReadOnlyList<double> early) => Enumerable.Range(0, early.Count).MinBy(i => Finite(early[i]));

    /// <summary>log(final loss of the chosen / least final loss).</summary>
    private static double Regret(IReadOnlyList<double> early, IReadOnlyList<double> final) => Math.Log(final[Choice(early)] / final.Where(double.IsFinite).Min());

    private static int BestRank(IReadOnlyList<double> early, IReadOnlyList<double> final)
    {
        int best = Choice(final);
        return 1 + Enumerable.Range(0, early.Count).Count(i => Finite(early[i]) < Finite(early[best]));
    }
}

/// <summary>One search that was run to the end.</summary>
/// <param name="Final">Of each configuration; infinite where it diverged.</param>
/// <param name="Early">By estimator, of each configuration.</param>
internal sealed record EstimatorTrial(IReadOnlyList<double> Final, IReadOnlyList<IReadOnlyList<double>> Early);

/// <summary>How well one estimator did.</summary>
/// <param name="Name">Of the estimator.</param>
/// <param name="Spearman">Rho of figures and final losses, the mean over seeds; null where undefined.</param>
/// <param name="Interval">Of rho, 95 %.</param>
/// <param name="Difference">Interval of rho less the first estimator's; null for the first.</param>
/// <param name="Regret">Mean over seeds of log(final loss of the chosen / least final loss).</param>
/// <param name="WorstRegret">Largest over seeds.</param>
/// <param name="BestAmong">Share of seeds whose best configuration is among the first <see cref="EstimatorComparison.Firsts"/>.</param>
internal sealed record EstimatorRow(string Name, double? Spearman, ConfidenceInterval? Interval, ConfidenceInterval? Difference, double Regret, double WorstRegret,
    IReadOnlyList<double> BestAmong);
