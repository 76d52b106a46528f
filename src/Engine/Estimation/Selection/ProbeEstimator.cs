using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Extrapolation;

namespace ChemScale.Engine.Estimation.Selection;

/// <summary>The early figure that stands for a run: the lower, the better. Diverged runs are infinitely bad.</summary>
public enum ProbeEstimator
{
    Tse,
    TseE,
    TseEma,
    LastTrainingLoss,
    LastValidationLoss,

    /// <summary>Final training loss read off a fitted curve 1 / (b1 + b2 k) + b3.</summary>
    Lcga,

    /// <summary>Final training loss read off a fitted curve a k^-b + c.</summary>
    PowerLaw,

    /// <summary>
    /// Training loss at the end of a branch of the probe whose learning rate went down to nothing: what the run would have had, were it to
    /// end here (Hägele et al. 2024, arXiv 2405.18392).
    /// </summary>
    Annealed,

    /// <summary>Validation loss at the end of that branch.</summary>
    AnnealedValidation,
}

public static class ProbeEstimators
{
    /// <summary>Those that need training losses alone, in the order of tables.</summary>
    public static IReadOnlyList<ProbeEstimator> OfTraining { get; } =
    [
        ProbeEstimator.Tse, ProbeEstimator.TseE, ProbeEstimator.TseEma, ProbeEstimator.LastTrainingLoss, ProbeEstimator.Lcga, ProbeEstimator.PowerLaw,
    ];

    /// <summary>As options and tables write it.</summary>
    public static string Name(this ProbeEstimator estimator) => estimator switch
    {
        ProbeEstimator.Tse => "tse",
        ProbeEstimator.TseE => "tse-e",
        ProbeEstimator.TseEma => "tse-ema",
        ProbeEstimator.LastTrainingLoss => "last",
        ProbeEstimator.LastValidationLoss => "last-validation",
        ProbeEstimator.Lcga => "lcga",
        ProbeEstimator.PowerLaw => "power-law",
        ProbeEstimator.Annealed => "annealed",
        ProbeEstimator.AnnealedValidation => "annealed-validation",
        _ => throw new ArgumentOutOfRangeException(nameof(estimator), estimator, null),
    };

    /// <param name="name">As <see cref="Name"/> writes it.</param>
    /// <param name="option">To name in an error.</param>
    /// <exception cref="InputException">There is none of that name.</exception>
    public static ProbeEstimator Parse(string name, string option)
    {
        ProbeEstimator[] all = Enum.GetValues<ProbeEstimator>();
        int at = Array.FindIndex(all, e => e.Name().Equals(name, StringComparison.OrdinalIgnoreCase));
        return at >= 0 ? all[at] : throw new InputException(option, $"'{name}'", string.Join(", ", all.Select(Name)));
    }

    /// <summary>The figure is itself a guess of the final loss; the others must be calibrated.</summary>
    public static bool IsLoss(this ProbeEstimator estimator) => estimator is not (ProbeEstimator.Tse or ProbeEstimator.TseEma);

    /// <summary>The probe needs a branch.</summary>
    public static bool IsAnnealed(this ProbeEstimator estimator) => estimator is ProbeEstimator.Annealed or ProbeEstimator.AnnealedValidation;

    /// <exception cref="InputException">The probe lacks the losses that the estimator needs.</exception>
    public static double Of(this ProbeEstimator estimator, ProbeView probe)
    {
        LossCurve curve = probe.Curve;
        if (curve.Diverged) return double.PositiveInfinity;
        return estimator switch
        {
            ProbeEstimator.Tse => TrainingSpeed.Estimate(curve).Tse,
            ProbeEstimator.TseE => TrainingSpeed.Estimate(curve).TseE,
            ProbeEstimator.TseEma => TrainingSpeed.Estimate(curve).TseEma,
            ProbeEstimator.LastTrainingLoss => curve.LastTrainingLoss,
            ProbeEstimator.LastValidationLoss => curve.LastValidationLoss
                ?? throw new InputException(curve.Name, "no validation loss in the probe", "at least one",
                    "validate earlier, or select by training loss"),
            ProbeEstimator.Lcga => CurveExtrapolation.FinalLoss(CurveForm.Lcga, probe),
            ProbeEstimator.PowerLaw => CurveExtrapolation.FinalLoss(CurveForm.PowerLaw, probe),
            ProbeEstimator.Annealed or ProbeEstimator.AnnealedValidation => OfBranch(estimator, probe),
            _ => throw new ArgumentOutOfRangeException(nameof(estimator), estimator, null),
        };
    }

    private static double OfBranch(ProbeEstimator estimator, ProbeView probe)
    {
        LossCurve cooled = probe.Cooled
            ?? throw new InputException(probe.Name, "no branch that was cooled", "one at the end of the probe", "a search that ranks by them trains them");
        if (cooled.Diverged) return double.PositiveInfinity;
        return estimator == ProbeEstimator.Annealed ? cooled.LastTrainingLoss
            : cooled.LastValidationLoss
                ?? throw new InputException(probe.Name, "no validation loss in the branch", "one at its end", "validate every epoch, or rank by training loss");
    }
}
