using System.ComponentModel.DataAnnotations;
using System.Globalization;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;

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

    /// <summary>What the molecules are read as; null: SELFIES, or no molecules.</summary>
    public Representation? Representation { get; init; }

    /// <summary>Grammar of the SELFIES strings; null where there are none, or where the store says it.</summary>
    public SelfiesGrammar? Grammar { get; init; }

    /// <summary>Molecules or frames trained on: the first ones of the store's nested order; null for all.</summary>
    [Range(1, long.MaxValue)]
    public long? Subset { get; init; }

    /// <summary>Molecules or frames of the fixed validation set.</summary>
    [Range(1, long.MaxValue)]
    public long Validation { get; init; } = 1000;

    /// <summary>
    /// Frames: the energy of an isolated atom of each element, which the network need not learn: <c>fit</c> (least squares over the training frames),
    /// <c>from-frames</c> (isolated atoms among those that were prepared), <c>H=-13.587 O=-2041.84</c> in eV, or a file of such. Null: from the frames
    /// where there is an isolated atom of each element, else a fit.
    /// </summary>
    public string? AtomEnergies { get; init; }

    /// <param name="folder">A store.</param>
    /// <param name="found">Its fingerprint.</param>
    /// <exception cref="InputException">It is not <see cref="Fingerprint"/>.</exception>
    public void RequireFingerprint(string folder, string found)
    {
        if (Fingerprint is not null && Fingerprint != found)
            throw new InputException(folder, $"other data (fingerprint {found})", $"those of the experiment (fingerprint {Fingerprint})",
                "put the store back, or train on these data in another directory");
    }

    internal DataSpec Resolved() => this with
    {
        Representation = Representation == Tokens.Representation.Selfies ? null : Representation,
        Grammar = Grammar is null && Store == Virtual && Representation != Tokens.Representation.Smiles ? SelfiesGrammar.V1 : Grammar,
        AtomEnergies = AtomEnergies is { } given ? Atoms.Statistics.AtomEnergies.Resolve(given) : null,
    };
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

    /// <summary>
    /// What errors of frames of some kinds (<c>config_type</c>) count, <c>scan=5 dimer=0.1</c>; others count 1. Means stay over all frames, as MACE has it.
    /// Null: all count 1.
    /// </summary>
    public string? KindWeights { get; init; }

    /// <summary>Of <see cref="KindWeights"/>; null: none are given.</summary>
    /// <exception cref="InputException">They are not written so.</exception>
    internal IReadOnlyDictionary<string, double>? WeightsByKind()
    {
        if (KindWeights is null) return null;
        const string key = "training.labelLoss.kindWeights", expected = "kinds and weights of 0 or more, as in scan=5 dimer=0.1";
        Dictionary<string, double> weights = new(StringComparer.Ordinal);
        foreach (string pair in KindWeights.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            int at = pair.LastIndexOf('=');
            if (at < 1 || !double.TryParse(pair.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double weight) || !(weight >= 0) || !double.IsFinite(weight))
                throw new InputException(key, $"'{pair}'", expected);
            if (!weights.TryAdd(pair[..at], weight)) throw new InputException(key, $"{pair[..at]} twice", "each kind once");
        }
        return weights.Count > 0 ? weights : throw new InputException(key, "nothing", expected);
    }

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
