namespace ChemScale.Engine.Scaling.Families;

/// <summary>The forms by name.</summary>
public static class ScalingFamilies
{
    /// <summary>Of one resource, simplest first.</summary>
    public static IReadOnlyList<ScalingFamily> OfOneResource { get; } =
    [
        LogSumExpFamily.PowerLaw, LogSumExpFamily.PowerLawWithFloor, SaturatingFamily.M3, SigmoidalFamily.M4, BrokenPowerLaw.OneBreak,
        FlooredFamily.BrokenPowerLaw,
    ];

    /// <summary>Of parameters and data, simplest first.</summary>
    public static IReadOnlyList<ScalingFamily> Joint { get; } = [LogSumExpFamily.ChinchillaWithoutFloor, LogSumExpFamily.Chinchilla];

    /// <exception cref="InputException">There is none of that name.</exception>
    public static ScalingFamily ByName(string name) =>
        OfOneResource.Concat(Joint).FirstOrDefault(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new InputException("family", $"\"{name}\"", string.Join(", ", OfOneResource.Concat(Joint).Select(f => f.Name)));
}
