using System.Text.Json.Serialization;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Fitting;

namespace ChemScale.Engine.Studies.Fits;

/// <summary>A claim and everything that was asked of it.</summary>
/// <param name="Claim">On all points that were kept.</param>
public sealed record FitAnswer(Claim Claim)
{
    /// <summary>What sets this series apart, each with its value; empty where there is one series.</summary>
    public IReadOnlyDictionary<string, string> Series { get; init; } = new Dictionary<string, string>();

    /// <summary>How the minimum was found; null where the claim is refused.</summary>
    public FitDiagnostics? Diagnostics { get; init; }

    /// <summary>How far the form can be trusted; null where the claim is refused.</summary>
    public FitEvidence? Evidence { get; init; }

    /// <summary>One for each place asked about.</summary>
    public IReadOnlyList<FitPrediction> Predictions { get; init; } = [];

    /// <summary>What each loss asked about takes; of families of one resource.</summary>
    public IReadOnlyList<Requirement> Requirements { get; init; } = [];

    /// <summary>The best use of each compute asked about; of families of parameters and data.</summary>
    public IReadOnlyList<ComputeAnswer> Optima { get; init; } = [];

    /// <summary>The least compute for each loss asked about; of families of parameters and data.</summary>
    public IReadOnlyList<LeastCompute> LeastComputes { get; init; } = [];

    [JsonIgnore]
    internal ScalingFit Fit => Claim.Fit ?? throw new InvalidOperationException(Claim.Words);
}

/// <summary>How a fit was found.</summary>
/// <param name="LossFunction">Of a residual of log loss.</param>
/// <param name="Objective">Weighted sum over points.</param>
/// <param name="GradientNorm">Largest component of its gradient.</param>
/// <param name="Starts">Starting points minimised from.</param>
/// <param name="StartsAgreeing">Of which ended in this minimum.</param>
/// <param name="Resamples">Bootstrap resamples drawn.</param>
/// <param name="FailedResamples">Of which no fit was found.</param>
public sealed record FitDiagnostics(string LossFunction, double Objective, double GradientNorm, int Starts, int StartsAgreeing, int Resamples, int FailedResamples)
{
    internal static FitDiagnostics Of(ScalingFit fit, Scaling.Intervals.Bootstrap? bootstrap) => new(fit.LossFunction, fit.Objective, fit.GradientNorm, fit.Starts,
        fit.StartsAgreeing, bootstrap?.Resamples ?? 0, bootstrap?.Failed ?? 0);
}

/// <summary>Loss at some resources, or the reason why it is not given.</summary>
/// <param name="Resources">In the order of the fit's.</param>
/// <param name="Loss">Predicted; null where refused.</param>
/// <param name="Profile">Profile-likelihood interval of the curve there.</param>
/// <param name="Curve">Bootstrap interval of the curve; null without resamples.</param>
/// <param name="Run">Bootstrap interval for one further run, its noise included; null without resamples.</param>
/// <param name="Beyond">How far outside the points: the largest factor over any resource; 1 within them.</param>
/// <param name="Refusal">Why there is no answer; empty where there is one.</param>
public sealed record FitPrediction(IReadOnlyList<double> Resources, double? Loss, ConfidenceInterval? Profile, ConfidenceInterval? Curve, ConfidenceInterval? Run,
    double Beyond, string Refusal = "");

/// <summary>What to spend a compute on, or the reason why it is not said.</summary>
/// <param name="Compute">Asked about, FLOP.</param>
/// <param name="Optimum">Null where refused.</param>
/// <param name="Beyond">How far its N or D lies outside the points.</param>
/// <param name="Refusal">Why there is no answer; empty where there is one.</param>
public sealed record ComputeAnswer(double Compute, ComputeOptimum? Optimum, double Beyond, string Refusal = "");

/// <summary>What reaches a loss with the least compute.</summary>
/// <param name="Loss">Wanted.</param>
/// <param name="Optimum">Null where no compute reaches it, being at or below E, or where refused.</param>
/// <param name="Compute">Bootstrap interval of the compute, FLOP; an open upper end: some resamples never reach the loss.</param>
/// <param name="Refusal">Why there is no answer; empty where there is one.</param>
public sealed record LeastCompute(double Loss, ComputeOptimum? Optimum, ConfidenceInterval? Compute, string Refusal = "");
