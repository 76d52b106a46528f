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
            throw new InputException(folder, $"other data (fingerprint {found})", $"those of the experiment (fingerprint {Fingerprint})", "put the store back, or train on these data in another directory");
    }

    internal DataSpec Resolved() => Grammar is null && Store == Virtual ? this with { Grammar = SelfiesGrammar.V1 } : this;
}
