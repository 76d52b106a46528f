using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;
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
internal sealed class MedianPruner(int checks = 20, int startup = 3, int warmup = 1) : SequentialPruner(checks)
{
    public override string Name => FormattableString.Invariant($"median {100.0 * warmup / Checks:0.#} %, {startup} runs first");

    protected internal override bool Stops(IReadOnlyList<double> history, IReadOnlyList<IReadOnlyList<double>> earlier)
    {
        if (earlier.Count < startup || history.Count <= warmup) return false;
        double[] there = [.. earlier.Where(h => h.Count >= history.Count).Select(h => h[history.Count - 1]).Where(double.IsFinite).Order()];
        return there.Length > 0 && history.Min() > Distributions.SampleQuantile(there, 0.5);
    }
}

/// <summary>
/// Like Optuna's PatientPruner: a run stops when its best loss is some checks old and, where there is another rule, that says so too.
/// </summary>
/// <param name="checks">Looks at a run.</param>
/// <param name="patience">Checks without improvement.</param>
/// <param name="least">Improvement that counts.</param>
/// <param name="rule">Null: patience alone.</param>
internal sealed class PatientPruner(int checks = 20, int patience = 3, double least = 0, SequentialPruner? rule = null)
    : SequentialPruner(checks)
{
    public override string Name => FormattableString.Invariant($"patient {100.0 * patience / Checks:0.#} %")
        + (rule is null ? "" : $", {rule.Name}");

    protected internal override bool Stops(IReadOnlyList<double> history, IReadOnlyList<IReadOnlyList<double>> earlier)
    {
        if (history.Count <= patience) return false;
        double before = history.Take(history.Count - patience).Min(), since = history.Skip(history.Count - patience).Min();
        return since >= before - least && (rule?.Stops(history, earlier) ?? true);
    }
}

/// <summary>Runs one after the other, each looked at in equal steps of its budget and stopped on what was seen so far.</summary>
internal abstract class SequentialPruner(int checks) : IPruner
{
    public abstract string Name { get; }

    protected int Checks => checks;

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        if (checks < 1) throw new InputException("checks", $"{checks}", "at least 1");
        var histories = new List<IReadOnlyList<double>>();
        var rungs = new Rungs(runs);
        for (int i = 0; i < runs.Count; i++)
        {
            var history = new List<double>();
            for (int k = 1; k <= checks; k++)
            {
                double loss = rungs.Climb(i, k, k / (double)checks);
                history.Add(loss);
                if (!double.IsFinite(loss) || (k < checks && Stops(history, histories))) break;
            }
            histories.Add(history);
        }
        return rungs.Choice();
    }

    /// <param name="history">Losses of this run at its checks so far.</param>
    /// <param name="earlier">Those of the runs before it; the longer, the further they came.</param>
    protected internal abstract bool Stops(IReadOnlyList<double> history, IReadOnlyList<IReadOnlyList<double>> earlier);
}

/// <summary>
/// Training performance estimation (Frey et al. 2023; not the Tree-structured Parzen Estimator): all runs are probed at one fraction, the
/// best are finished.
/// </summary>
/// <param name="fraction">Of the budget.</param>
/// <param name="estimator">By which runs are ordered.</param>
/// <param name="finished">How many are finished, unless a regression says who is undecided.</param>
/// <param name="regression">Null: keep <paramref name="finished"/>.</param>
internal sealed class TpePruner(double fraction = 0.2, ProbeEstimator estimator = ProbeEstimator.Tse, int finished = 1,
    FinalLossRegression? regression = null) : IPruner
{
    public string Name => FormattableString.Invariant($"TPE {100 * fraction:0.#} % {estimator.Name()}")
        + (regression is not null ? ", undecided" : finished > 1 ? $", {finished} finished" : "");

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        ProbeView[] probes = [.. runs.Select(r => r.Advance(fraction))];
        ProbeSelection selection = regression is null
            ? ProbeSelection.KeepBest(probes, estimator, finished)
            : ProbeSelection.KeepUndecided(probes, regression, estimator);
        int selected = selection.Kept.MinBy(i => ProbeEstimator.LastTrainingLoss.Of(runs[i].Advance(1)));
        return new PrunerChoice(selected, [.. selection.Verdicts.Select(v => v.Estimate ?? double.PositiveInfinity)]);
    }
}

/// <summary>
/// Training performance estimation that keeps the undecided: all runs are probed at one fraction; those are finished that
/// <see cref="UndecidedRule"/> asks for, its calibration included.
/// </summary>
/// <param name="fraction">Of the budget.</param>
/// <param name="estimator">Early figure.</param>
/// <param name="doubt">Probability to be the best from which on a run is finished.</param>
internal sealed class UndecidedTpePruner(double fraction = 0.2, ProbeEstimator estimator = ProbeEstimator.Tse, double doubt = UndecidedRule.UsualDoubt)
    : IPruner
{
    public string Name => FormattableString.Invariant($"TPE {100 * fraction:0.#} % {estimator.Name()}, undecided");

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        double[] early = [.. runs.Select(r => estimator.Of(r.Advance(fraction)))], final = [.. runs.Select(_ => double.NaN)];
        while (UndecidedRule.Next(early, final, doubt) is { Count: > 0 } next)
            foreach (int i in next) final[i] = ProbeEstimator.LastTrainingLoss.Of(runs[i].Advance(1));
        int[] finished = [.. Enumerable.Range(0, runs.Count).Where(i => double.IsFinite(final[i]))];
        return finished.Length > 0 ? new PrunerChoice(finished.MinBy(i => final[i]), early)
            : throw new InputException("selection", "every run diverged", "at least one finite loss", "try lower learning rates");
    }
}
