namespace ChemScale.Engine.Studies.Summary;

/// <summary>Hyperparameter selection by training performance estimation (not the Tree-structured Parzen Estimator).</summary>
public sealed record SelectionSummary
{
    /// <summary>In the order of the search space; the default is among them.</summary>
    public required IReadOnlyList<ConfigurationOutcome> Configurations { get; init; }

    /// <summary>What ranked the probes: tse, tse-e, tse-ema, last, lcga, power-law.</summary>
    public string Estimator { get; init; } = "tse";

    public required int ProbeEpochs { get; init; }

    public required int FullEpochs { get; init; }

    /// <summary>True when every configuration was finished, to compare predictions with the truth.</summary>
    public required bool Validated { get; init; }

    /// <summary>Index of the configuration that was selected at the end of the probe.</summary>
    public required int Selected { get; init; }

    /// <summary>
    /// Of final losses each predicted from the others, against the true ones; null unless validated. Near the best: over those within 20 %
    /// of its loss, with a line of their own.
    /// </summary>
    public double? R2 { get; init; }

    /// <summary>Of the early figures and the true final losses, as <see cref="Kendall"/>.</summary>
    public double? Spearman { get; init; }

    public double? Kendall { get; init; }

    public double? R2NearBest { get; init; }

    public double? SpearmanNearBest { get; init; }

    /// <summary>Final loss of the selected minus that of the truly best; null unless validated.</summary>
    public double? Regret { get; init; }

    /// <summary>1 - (probes + finishes) / (n full runs): what selection alone would have cost against running all to the end.</summary>
    public required double ComputeSaved { get; init; }
}

/// <summary>One configuration of the search.</summary>
public sealed record ConfigurationOutcome
{
    public required string Name { get; init; }

    public required double LearningRate { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>What people start from: the default of Hugging Face's trainer, or a force field's published setting.</summary>
    public bool IsDefault { get; init; }

    /// <summary>What selection decided at the end of the probe; Diverged: the loss was not a number.</summary>
    public required ConfigurationFate Fate { get; init; }

    /// <summary>Mean training loss of each epoch run.</summary>
    public required IReadOnlyList<double> EpochLosses { get; init; }

    /// <summary>Figure of the probe: the sum of its epoch losses (TSE), or what another estimator makes of it.</summary>
    public double? Estimate { get; init; }

    /// <summary>Final loss predicted from the probe, and its standard error; null where it diverged.</summary>
    public double? Predicted { get; init; }

    public double? PredictedError { get; init; }

    /// <summary>Final loss reached; null where it was not finished.</summary>
    public double? Final { get; init; }

    public required double SecondsPerEpoch { get; init; }
}

public enum ConfigurationFate
{
    Kept,
    Stopped,
    Diverged,
}
