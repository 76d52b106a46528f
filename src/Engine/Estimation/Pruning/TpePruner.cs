using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>
/// Training performance estimation (Frey et al. 2023; not the Tree-structured Parzen Estimator): all runs are probed at one fraction, the
/// best are finished.
/// </summary>
/// <param name="fraction">Of the budget.</param>
/// <param name="estimator">By which runs are ordered.</param>
/// <param name="finished">How many are finished, unless a regression says who is undecided.</param>
/// <param name="regression">Null: keep <paramref name="finished"/>.</param>
public sealed class TpePruner(double fraction = 0.2, ProbeEstimator estimator = ProbeEstimator.Tse, int finished = 1,
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
