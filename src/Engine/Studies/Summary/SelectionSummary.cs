using ChemScale.Engine.Estimation;

namespace ChemScale.Engine.Studies.Summary;

/// <summary>Hyperparameter selection by training performance estimation (not the Tree-structured Parzen Estimator).</summary>
public sealed record SelectionSummary
{
    /// <summary>In the order of the search space; the default is among them.</summary>
    public required IReadOnlyList<ConfigurationOutcome> Configurations { get; init; }

    /// <summary>What ranked the probes: tse, tse-e, tse-ema, last, last-validation, lcga, power-law, annealed, annealed-validation.</summary>
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

    /// <summary>1 - (probes + finishes) / (n full runs), in training steps: what selection alone would have cost against running all to the end.</summary>
    public required double ComputeSaved { get; init; }

    /// <summary>Configurations that the predictions are calibrated on.</summary>
    public int Finished { get; init; }

    /// <summary>Of which ended within the 95 % interval of their prediction from the others; null where there are too few for intervals.</summary>
    public int? WithinInterval { get; init; }

    /// <summary>Configurations that ended within 20 % of the best; null unless validated.</summary>
    public int? NearBest { get; init; }

    /// <summary>Configurations that share the lowest figure, where more than one does; else 0.</summary>
    public int Tied { get; init; }

    /// <summary>To know before using what was selected.</summary>
    public IReadOnlyList<string> Cautions { get; init; } = [];
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

    /// <summary>95 % interval of the prediction.</summary>
    public double? PredictedLow { get; init; }

    public double? PredictedHigh { get; init; }

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

/// <summary>What may be wrong with a selection, by its own numbers.</summary>
internal static class SelectionCautions
{
    /// <summary>Epochs of a probe below which a sum of losses is hardly one; the paper's had 10.</summary>
    private const int ShortProbe = 5;

    /// <summary>Rho above which configurations were told apart, whatever their predicted losses were worth.</summary>
    private const double OrderTold = 0.5;

    public static SelectionSummary Added(SelectionSummary summary) => summary with { Cautions = [.. Of(summary)] };

    private static IEnumerable<string> Of(SelectionSummary s)
    {
        if (s.Configurations.ElementAtOrDefault(s.Selected) is not { } chosen) yield break;
        if (s.Tied > 1) yield return $"{s.Tied} configurations share the lowest figure of the probe: which of them is best is not known, and the first was taken.";
        if (Edge(s, c => c.LearningRate, chosen) is { } rate) yield return $"The chosen learning rate is the {rate} that was tried: a better one may lie beyond.";
        if (Edge(s, c => c.BatchSize, chosen) is { } batch && !(batch == "smallest" && chosen.BatchSize == 1))
            yield return $"The chosen batch size is the {batch} that was tried: a better one may lie beyond.";
        if (s.ProbeEpochs < ShortProbe && s.Configurations.Count > 1)
            yield return $"The probe is short: {(s.ProbeEpochs == 1 ? "1 epoch" : $"{s.ProbeEpochs} epochs")}, where the paper's had 10.";
        if (s.NearBest is { } near && near < RankQuality.FewestRuns)
            yield return $"{near} of {s.Configurations.Count} configurations ended within 20 % of the best: "
                + "R2 and rho say that bad ones were told from good, not the good from each other.";
        if (s.Validated && s.R2 <= 0)
            yield return "The predicted losses were no better than the mean of the final ones (R2 is not above 0): "
                + (s.Spearman > OrderTold ? "only their order says something." : "the choice rests on chance.");
    }

    private static string? Edge(SelectionSummary s, Func<ConfigurationOutcome, double> of, ConfigurationOutcome chosen)
    {
        double[] tried = [.. s.Configurations.Select(of).Where(v => v > 0).Distinct().Order()];
        return tried.Length < 2 || !(of(chosen) > 0) ? null : of(chosen) == tried[^1] ? "largest" : of(chosen) == tried[0] ? "smallest" : null;
    }
}
