namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Where a preparation stands.</summary>
/// <param name="Stage">What is being done, in words.</param>
/// <param name="Fraction">0 to 1 of the input; null where it is not known.</param>
/// <param name="Lines">Lines read.</param>
/// <param name="Molecules">Molecules taken.</param>
/// <param name="Refused">Lines refused.</param>
/// <param name="Elapsed">Since the start.</param>
public sealed record PreparationProgress(string Stage, double? Fraction, long Lines, long Molecules, long Refused, TimeSpan Elapsed)
{
    public double MoleculesPerSecond => Elapsed > TimeSpan.Zero ? Molecules / Elapsed.TotalSeconds : 0;
}
