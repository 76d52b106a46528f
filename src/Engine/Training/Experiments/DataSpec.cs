using System.ComponentModel.DataAnnotations;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>The data section: where molecules or frames come from and how many are used.</summary>
public sealed record DataSpec
{
    /// <summary><see cref="Store"/> for the built-in virtual library.</summary>
    public const string Virtual = "virtual";

    /// <summary>Folder of a prepared store, or <c>virtual</c>.</summary>
    public string Store { get; init; } = Virtual;

    /// <summary>
    /// Checksum of the prepared store; where it is given it stands for <see cref="Store"/> in the identity, so that the same data
    /// elsewhere is the same experiment.
    /// </summary>
    public string? Fingerprint { get; init; }

    /// <summary>Grammar of the SELFIES strings; null where there are none, or where the store says it.</summary>
    public SelfiesGrammar? Grammar { get; init; }

    /// <summary>Molecules or frames trained on: the first ones of the store's nested order; null for all.</summary>
    [Range(1, long.MaxValue)]
    public long? Subset { get; init; }

    /// <summary>Molecules or frames of the fixed validation set.</summary>
    [Range(1, long.MaxValue)]
    public long Validation { get; init; } = 1000;

    /// <param name="folder">A store.</param>
    /// <param name="found">Its fingerprint.</param>
    /// <exception cref="InputException">It is not <see cref="Fingerprint"/>.</exception>
    public void RequireFingerprint(string folder, string found)
    {
        if (Fingerprint is not null && Fingerprint != found)
            throw new InputException(folder, $"other data (fingerprint {found})", $"those of the experiment (fingerprint {Fingerprint})",
                "put the store back, or train on these data in another directory");
    }

    internal DataSpec Resolved() => Grammar is null && Store == Virtual ? this with { Grammar = SelfiesGrammar.V1 } : this;
}

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
