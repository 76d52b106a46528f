using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>
/// Training performance estimation that keeps the undecided: all runs are probed at one fraction; those are finished that
/// <see cref="UndecidedRule"/> asks for, its calibration included.
/// </summary>
/// <param name="fraction">Of the budget.</param>
/// <param name="estimator">Early figure.</param>
/// <param name="doubt">Probability to be the best from which on a run is finished.</param>
public sealed class UndecidedTpePruner(double fraction = 0.2, ProbeEstimator estimator = ProbeEstimator.Tse, double doubt = UndecidedRule.UsualDoubt)
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
