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
}

public static class ProbeEstimators
{
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
            _ => throw new ArgumentOutOfRangeException(nameof(estimator), estimator, null),
        };
    }
}
