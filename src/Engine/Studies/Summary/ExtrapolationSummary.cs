namespace ChemScale.Engine.Studies.Summary;

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
