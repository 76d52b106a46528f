using System.Text.Json.Serialization;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Estimation.Pruning;

namespace ChemScale.Engine.Studies.Estimates;

/// <summary>What recorded curves say of estimators and pruners.</summary>
public sealed record EstimationReport
{
    /// <summary>Share of the budget that the estimates look at.</summary>
    public required double Probe { get; init; }

    /// <summary>By which the runs are ranked and their final losses predicted.</summary>
    public required string Estimator { get; init; }

    public required IReadOnlyList<RunEstimate> Runs { get; init; }

    /// <summary>Those that the probes allow.</summary>
    public required IReadOnlyList<EstimatorAssessment> Estimators { get; init; }

    /// <summary>Of the finished and diverged runs, with every pruner at 5, 10 and 20 % of the budget; null below two finished runs.</summary>
    public Replay? Replay { get; init; }

    /// <summary>What was left out, and why.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The chosen one of <see cref="Estimators"/>.</summary>
    [JsonIgnore]
    public EstimatorAssessment Chosen => Estimators.Single(e => e.Estimator == Estimator);
}

/// <summary>One run: figures of its probe, and what it came to. Null where unknown or not applicable.</summary>
public sealed record RunEstimate
{
    public required string Name { get; init; }

    public double? LearningRate { get; init; }

    public int? BatchSize { get; init; }

    public required double Epochs { get; init; }

    public required bool Finished { get; init; }

    public required bool Diverged { get; init; }

    public double? Tse { get; init; }

    public double? TseE { get; init; }

    public double? TseEma { get; init; }

    /// <summary>Training loss at the end of the probe.</summary>
    public double? Last { get; init; }

    /// <summary>Final loss by a curve 1 / (b1 + b2 k) + b3.</summary>
    public double? Lcga { get; init; }

    /// <summary>Final loss by a curve a k^-b + c.</summary>
    public double? PowerLaw { get; init; }

    /// <summary>Final loss by the chosen estimator's line: of a finished run from the others, of the rest from all.</summary>
    public double? Predicted { get; init; }

    /// <summary>Standard error: what one of the logarithm adds to the prediction.</summary>
    public double? PredictedError { get; init; }

    /// <summary>95 % interval that the final loss falls into.</summary>
    public double? PredictedLow { get; init; }

    public double? PredictedHigh { get; init; }

    public double? Final { get; init; }

    /// <summary>Of the whole run, as all that follows.</summary>
    public required double Steps { get; init; }

    public double? Flop { get; init; }

    public double? Seconds { get; init; }

    public double? Kilojoules { get; init; }

    /// <summary>Mean training loss of each epoch.</summary>
    public required IReadOnlyList<double> EpochLosses { get; init; }
}
