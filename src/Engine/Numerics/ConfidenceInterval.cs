namespace ChemScale.Engine.Numerics;

/// <summary>A confidence interval; an end that the data leave open is null.</summary>
/// <param name="Low">Null: unbounded below.</param>
/// <param name="High">Null: unbounded above.</param>
/// <param name="Level">Confidence, such as 0.95.</param>
public sealed record ConfidenceInterval(double? Low, double? High, double Level)
{
    public bool Contains(double value) => !(value < Low) && !(value > High);
}
