namespace ChemScale.Engine.Estimation.Curves;

/// <summary>Names of the columns of a table of curves; null: by their usual names.</summary>
public sealed record CurveColumns
{
    /// <summary>Names the run of each row: the long form.</summary>
    public string? Run { get; init; }

    public string? Epoch { get; init; }

    public string? Step { get; init; }

    /// <summary>Training loss, of the long form or of a file of one run.</summary>
    public string? Loss { get; init; }

    /// <summary>Where steps are given and epochs are not.</summary>
    public int? StepsPerEpoch { get; init; }
}
