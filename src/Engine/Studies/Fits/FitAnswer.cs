using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;

namespace ChemScale.Engine.Studies.Fits;

/// <summary>A fit and everything that was asked of it.</summary>
/// <param name="Fit">To all points that were kept.</param>
/// <param name="Profile">Profile-likelihood interval of each parameter.</param>
/// <param name="Bootstrap">Percentile interval of each; null where no resamples were asked for.</param>
/// <param name="Resamples">Bootstrap resamples drawn.</param>
/// <param name="FailedResamples">Of which no fit was found.</param>
public sealed record FitAnswer(ScalingFit Fit, IReadOnlyList<ParameterInterval> Profile, IReadOnlyList<ParameterInterval>? Bootstrap,
    int Resamples, int FailedResamples)
{
    /// <summary>How far the form can be trusted.</summary>
    public required FitEvidence Evidence { get; init; }

    /// <summary>One for each place asked about.</summary>
    public IReadOnlyList<FitPrediction> Predictions { get; init; } = [];

    /// <summary>What each loss asked about takes; of families of one resource.</summary>
    public IReadOnlyList<Requirement> Requirements { get; init; } = [];

    /// <summary>The best use of each compute asked about; of families of parameters and data.</summary>
    public IReadOnlyList<ComputeOptimum> Optima { get; init; } = [];

    /// <summary>The least compute for each loss asked about; of families of parameters and data.</summary>
    public IReadOnlyList<LeastCompute> LeastComputes { get; init; } = [];
}

/// <summary>Loss at some resources.</summary>
/// <param name="Resources">In the order of the fit's.</param>
/// <param name="Loss">Predicted.</param>
/// <param name="Profile">Profile-likelihood interval of the curve there.</param>
/// <param name="Curve">Bootstrap interval of the curve; null without resamples.</param>
/// <param name="Run">Bootstrap interval for one further run, its noise included; null without resamples.</param>
/// <param name="Beyond">How far outside the points: the largest factor over any resource; 1 within them.</param>
public sealed record FitPrediction(IReadOnlyList<double> Resources, double Loss, ConfidenceInterval Profile, ConfidenceInterval? Curve, ConfidenceInterval? Run, double Beyond);

/// <summary>What reaches a loss with the least compute.</summary>
/// <param name="Loss">Wanted.</param>
/// <param name="Optimum">Null where no compute reaches it: it is at or below E.</param>
/// <param name="Compute">Bootstrap interval of the compute, FLOP; an open upper end: some resamples never reach the loss.</param>
public sealed record LeastCompute(double Loss, ComputeOptimum? Optimum, ConfidenceInterval? Compute);
