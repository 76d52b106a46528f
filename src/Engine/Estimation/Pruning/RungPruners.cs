using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>What successive halving has seen of a set of runs: each run's highest rung, and its loss there.</summary>
internal sealed class Rungs(IReadOnlyList<ITrainableRun> runs)
{
    private readonly int[] rung = [.. Enumerable.Repeat(-1, runs.Count)];
    private readonly double[] loss = [.. Enumerable.Repeat(double.PositiveInfinity, runs.Count)];

    /// <summary>Trains a run to a rung at some share of the budget; returns its loss there.</summary>
    public double Climb(int run, int to, double fraction)
    {
        rung[run] = to;
        return loss[run] = ProbeEstimator.LastTrainingLoss.Of(runs[run].Advance(fraction));
    }

    /// <summary>The lowest loss among those who came highest; the order of the rest by the same rule.</summary>
    public PrunerChoice Choice()
    {
        int[] order = [.. Enumerable.Range(0, runs.Count).Where(i => double.IsFinite(loss[i])).OrderByDescending(i => rung[i])
            .ThenBy(i => loss[i])];
        if (order.Length == 0)
            throw new InputException("selection", "every run diverged", "at least one finite loss", "try lower learning rates");
        double[] scores = [.. Enumerable.Repeat(double.PositiveInfinity, runs.Count)];
        for (int place = 0; place < order.Length; place++) scores[order[place]] = place;
        return new PrunerChoice(order[0], scores);
    }

    /// <summary>Shares of the budget: least, least eta, least eta^2 ... 1.</summary>
    public static double[] Fractions(double least, double eta)
    {
        if (least is not (> 0 and <= 1)) throw new InputException("least fraction", $"{least}", "a number in (0, 1]");
        if (!(eta > 1)) throw new InputException("reduction", $"{eta}", "a number above 1");
        var fractions = new List<double>();
        for (double f = least; f < 1 - 1e-9; f *= eta) fractions.Add(f);
        return [.. fractions, 1];
    }
}

/// <summary>
/// Asynchronous successive halving (Li et al. 2020, arXiv 1810.05934) with one worker: whenever it is free, it promotes a run that is among
/// the best 1/eta of its rung, highest rung first, or else starts the next one.
/// </summary>
internal sealed class AshaPruner(double leastFraction = 0.1, double eta = 3) : IPruner
{
    public string Name => FormattableString.Invariant($"ASHA {100 * leastFraction:0.#} %, 1/{eta:0.#}");

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        double[] fractions = Rungs.Fractions(leastFraction, eta);
        var rungs = new Rungs(runs);
        List<(int Run, double Loss)>[] seen = [.. fractions.Select(_ => new List<(int, double)>())];
        HashSet<int>[] promoted = [.. fractions.Select(_ => new HashSet<int>())];
        for (int started = 0; ;)
        {
            if (Promotable() is ({ } rung, { } run))
            {
                promoted[rung].Add(run);
                seen[rung + 1].Add((run, rungs.Climb(run, rung + 1, fractions[rung + 1])));
            }
            else if (started < runs.Count)
            {
                seen[0].Add((started, rungs.Climb(started, 0, fractions[0])));
                started++;
            }
            else
            {
                return rungs.Choice();
            }
        }

        (int? Rung, int? Run) Promotable()
        {
            for (int k = fractions.Length - 2; k >= 0; k--)
            {
                foreach ((int run, double loss) in seen[k].OrderBy(s => s.Loss).Take((int)(seen[k].Count / eta)))
                    if (double.IsFinite(loss) && !promoted[k].Contains(run)) return (k, run);
            }
            return (null, null);
        }
    }
}

/// <summary>
/// Hyperband (Li et al. 2018, arXiv 1603.06560) over a given set of runs: brackets of successive halving that begin at eta^-s of the
/// budget,
/// s = s_max .. 0, share the runs, shuffled by seed, in the proportions of the original.
/// </summary>
internal sealed class HyperbandPruner(double leastFraction = 0.1, double eta = 3, ulong seed = 0) : IPruner
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

/// <summary>
/// Successive halving (Jamieson and Talwalkar 2016): all runs to a first rung; of each rung the best 1/eta go on to one eta times as far.
/// </summary>
internal sealed class SuccessiveHalvingPruner(double leastFraction = 0.1, double eta = 3) : IPruner
{
    public string Name => FormattableString.Invariant($"successive halving {100 * leastFraction:0.#} %, 1/{eta:0.#}");

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        var rungs = new Rungs(runs);
        Halve(rungs, [.. Enumerable.Range(0, runs.Count)], leastFraction, eta);
        return rungs.Choice();
    }

    /// <summary>Halves some of the runs; rungs are numbered so that the last, at the whole budget, is the highest everywhere.</summary>
    internal static void Halve(Rungs rungs, int[] alive, double leastFraction, double eta)
    {
        double[] fractions = Rungs.Fractions(leastFraction, eta);
        for (int k = 0; k < fractions.Length && alive.Length > 0; k++)
        {
            (int Run, double Loss)[] seen = [.. alive.Select(i => (i, rungs.Climb(i, k - fractions.Length, fractions[k])))
                .OrderBy(s => s.Item2)];
            alive = [.. seen.Where(s => double.IsFinite(s.Loss)).Take(Math.Max(1, (int)(alive.Length / eta))).Select(s => s.Run)];
        }
    }
}
