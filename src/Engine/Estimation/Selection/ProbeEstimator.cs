using ChemScale.Engine.Estimation.Curves;

namespace ChemScale.Engine.Estimation.Selection;

/// <summary>The early figure that stands for a run: the lower, the better. Diverged runs are infinitely bad.</summary>
public enum ProbeEstimator
{
    Tse,
    TseE,
    TseEma,
    LastTrainingLoss,
    LastValidationLoss,
}

public static class ProbeEstimators
{
    /// <exception cref="InputException">The probe lacks the losses that the estimator needs.</exception>
    public static double Of(this ProbeEstimator estimator, ProbeView probe) => estimator.Of(probe.Curve);

    /// <inheritdoc cref="Of(ProbeEstimator, ProbeView)"/>
    public static double Of(this ProbeEstimator estimator, LossCurve curve)
    {
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
            _ => throw new ArgumentOutOfRangeException(nameof(estimator), estimator, null),
        };
    }
}
