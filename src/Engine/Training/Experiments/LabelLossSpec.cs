using System.ComponentModel.DataAnnotations;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// The loss of a force field: the weighted sum of mean errors over frames (energies, eV), over components (forces, eV/A) and over
/// components (stress, eV/A^3). Absent labels take no part.
/// </summary>
public sealed record LabelLossSpec
{
    [Range(0, 1e9)]
    public double EnergyWeight { get; init; } = 0.05;

    [Range(0, 1e9)]
    public double ForceWeight { get; init; } = 0.95;

    [Range(0, 1e9)]
    public double StressWeight { get; init; }

    public ErrorMeasure Error { get; init; } = ErrorMeasure.Mse;

    /// <summary>Where Huber's error turns from squared to absolute, in each label's unit.</summary>
    [Range(0, 1e9, MinimumIsExclusive = true)]
    public double HuberDelta { get; init; } = 0.01;
}

/// <summary>What becomes of the difference of one predicted number and its label.</summary>
public enum ErrorMeasure
{
    /// <summary>Its square.</summary>
    Mse,

    /// <summary>Its absolute value.</summary>
    L1,

    /// <summary>Half its square up to delta, from there on delta (|x| - delta / 2).</summary>
    Huber,
}
