using ChemScale.Engine.Scaling.Claims;

namespace ChemScale.Engine.Studies.Summary;

/// <summary>Compute-optimal allocation by the joint form L = E + A / N^alpha + B / D^beta, with C = 6 N D.</summary>
public sealed record AllocationSummary
{
    /// <summary>Why the grid supports none; empty where it does.</summary>
    public string Refusal { get; init; } = "";

    /// <summary>What the points say of the joint form.</summary>
    public required Claim Claim { get; init; }

    /// <summary>Exponent a of N ~ C^a; D goes as C^(1 - a). Null where refused.</summary>
    public ClaimEstimate? Exponent { get; init; }

    /// <summary>Compute ascending.</summary>
    public IReadOnlyList<AllocationRow> Rows { get; init; } = [];

    /// <summary>To know before using it.</summary>
    public IReadOnlyList<string> Cautions { get; init; } = [];
}

/// <summary>The best model and data size for one compute, with 95 % intervals by bootstrap; an open end is null.</summary>
public sealed record AllocationRow
{
    /// <summary>C, FLOP.</summary>
    public required double Compute { get; init; }

    /// <summary>More than any run of the grid used.</summary>
    public required bool Beyond { get; init; }

    public required double Parameters { get; init; }

    public double? ParametersLow { get; init; }

    public double? ParametersHigh { get; init; }

    public required double Items { get; init; }

    public double? ItemsLow { get; init; }

    public double? ItemsHigh { get; init; }

    public required double Loss { get; init; }

    public double? LossLow { get; init; }

    public double? LossHigh { get; init; }
}

/// <summary>Forms of a scaling law fitted to the smaller runs and scored on the largest.</summary>
public sealed record ExtrapolationSummary
{
    /// <summary>What the forms are of: "C along the frontier".</summary>
    public required string Series { get; init; }

    /// <summary>Runs fitted to.</summary>
    public required int Small { get; init; }

    /// <summary>Runs scored on.</summary>
    public required int Large { get; init; }

    /// <summary>The least resource held out over the largest fitted to.</summary>
    public required double Reach { get; init; }

    /// <summary>Best first; those that could not be fitted last.</summary>
    public required IReadOnlyList<ExtrapolationRow> Rows { get; init; }
}

/// <summary>One form.</summary>
/// <param name="Form">Its name.</param>
/// <param name="Rank">From 1; null where it could not be fitted.</param>
/// <param name="LogError">Root mean square of log predicted - log observed on the large runs.</param>
/// <param name="Bias">Mean of the same.</param>
/// <param name="TrainingError">Root mean square on the small runs.</param>
/// <param name="Refusal">Why it could not be fitted; empty where it was.</param>
public sealed record ExtrapolationRow(string Form, int? Rank, double? LogError, double? Bias, double? TrainingError, string Refusal = "");
