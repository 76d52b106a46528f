using System.Text.Json.Serialization;
using ChemScale.Engine.Scaling.Claims;

namespace ChemScale.Engine.Studies.Summary;

/// <summary>The grid of model sizes and data sizes, and the power laws fitted to it.</summary>
public sealed record GridSummary
{
    public required IReadOnlyList<GridPoint> Points { get; init; }

    public required IReadOnlyList<FitSummary> Fits { get; init; }

    /// <summary>Learning rate and batch size that selection chose; what each point used stands there.</summary>
    public required double LearningRate { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>Forms ranked by how they extrapolate; empty where there are too few points.</summary>
    public IReadOnlyList<ExtrapolationSummary> Extrapolation { get; init; } = [];

    /// <summary>How to share compute between model and data; null where it was not asked for.</summary>
    public AllocationSummary? Allocation { get; init; }

    /// <summary>Anything the reader must know before trusting the exponents.</summary>
    public IReadOnlyList<string> Cautions { get; init; } = [];
}

/// <summary>One trained model of the grid.</summary>
public sealed record GridPoint
{
    public required string Name { get; init; }

    public required string ModelName { get; init; }

    /// <summary>Non-embedding parameters N.</summary>
    public required long Parameters { get; init; }

    public double LearningRate { get; init; }

    /// <summary>Unique training items: molecules or frames.</summary>
    public required long Documents { get; init; }

    /// <summary>D: unique training tokens, or frames.</summary>
    public required long Items { get; init; }

    /// <summary>S: tokens or frames seen, repeats included.</summary>
    public required long ItemsSeen { get; init; }

    /// <summary>C = 6 N S, in FLOP.</summary>
    public required double Compute { get; init; }

    /// <summary>Least validation loss on the one fixed set.</summary>
    public required double Loss { get; init; }

    /// <summary>The same in nats per molecule, which models of different tokens can be compared by; null for other models.</summary>
    public double? LossPerMolecule { get; init; }

    /// <summary>The validation loss was still falling when the cap on S was reached.</summary>
    public required bool StillFalling { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Validation losses along the run.</summary>
    public required IReadOnlyList<CurvePoint> Curve { get; init; }
}

public sealed record CurvePoint(long ItemsSeen, double Loss);

/// <summary>What the points say of a form, of those that share everything but one resource: a series of the grid.</summary>
public sealed record FitSummary
{
    /// <summary>parameters, items or compute.</summary>
    public required string Resource { get; init; }

    /// <summary>What is held: "D = 41,230 tokens"; for compute, "frontier".</summary>
    public required string Held { get; init; }

    /// <summary>The value held, to match a fit with its points: D of one over parameters, N of one over items; null for compute.</summary>
    public double? HeldValue { get; init; }

    /// <summary>True when the points still falling at the cap on S were left out.</summary>
    public bool WithoutStillFalling { get; init; }

    public required Claim Claim { get; init; }

    /// <summary>Fitted curve with its profile band, ready to draw; empty where the claim is refused.</summary>
    public required IReadOnlyList<BandPoint> Band { get; init; }

    /// <summary>A plain power law over all points of the series: what the words of a report are about.</summary>
    [JsonIgnore]
    public bool IsPlain => !WithoutStillFalling && Claim.Family == "power-law";
}

public sealed record BandPoint(double Resource, double Loss, double Low, double High);

/// <summary>Names of the resources a power law is fitted over, as <see cref="FitSummary.Resource"/> carries them.</summary>
public static class ResourceNames
{
    public const string Parameters = "parameters";
    public const string Items = "items";
    public const string Compute = "compute";
}
