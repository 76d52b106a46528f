using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>The pruners of a replay, all set to decide no earlier than at one share of the budget.</summary>
public static class ReplaySet
{
    /// <summary>Shares of the budget that a replay looks at.</summary>
    public static IReadOnlyList<double> Fractions { get; } = [0.05, 0.1, 0.2];

    private const int Checks = 20;

    /// <param name="fraction">A multiple of 5 % for those that look in equal steps; others are rounded to one.</param>
    /// <param name="estimators">Of training performance estimation.</param>
    public static IReadOnlyList<IPruner> At(double fraction, IReadOnlyList<ProbeEstimator> estimators)
    {
        int check = Math.Clamp((int)Math.Round(fraction * Checks), 1, Checks);
        return
        [
            .. estimators.Select(e => new TpePruner(fraction, e)),
            .. estimators.Where(e => e == ProbeEstimator.Tse).Select(e => new UndecidedTpePruner(fraction, e)),
            new SuccessiveHalvingPruner(fraction), new AshaPruner(fraction), new HyperbandPruner(fraction), new MedianPruner(Checks, warmup: check),
            new PatientPruner(Checks, check),
        ];
    }
}
