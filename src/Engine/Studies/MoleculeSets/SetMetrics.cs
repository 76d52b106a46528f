using System.Globalization;
using System.Text.Json.Serialization;

namespace ChemScale.Engine.Studies.MoleculeSets;

/// <summary>What a set of generated molecules is, beside a reference.</summary>
public sealed record SetMetrics
{
    public required string GeneratedFile { get; init; }

    public required string ReferenceFile { get; init; }

    public required string? TrainingFile { get; init; }

    /// <summary>Lines of the generated file.</summary>
    public required long Generated { get; init; }

    /// <summary>Of them, molecules: read, with a Kekule structure, no atom with more bonds than its element makes.</summary>
    public required long Valid { get; init; }

    /// <summary>Valid molecules of the reference.</summary>
    public required long Reference { get; init; }

    /// <summary>Share of valid lines.</summary>
    public double Validity => (double)Valid / Generated;

    public required UniqueShare UniqueAt1000 { get; init; }

    public required UniqueShare UniqueAt10000 { get; init; }

    /// <summary>Of all valid ones.</summary>
    public required UniqueShare Unique { get; init; }

    /// <summary>Share of the distinct valid molecules that the training file lacks; null where none was given.</summary>
    public required double? Novelty { get; init; }

    /// <summary>The valid generated molecules that diversity and neighbours are of.</summary>
    public required long Sample { get; init; }

    /// <summary>1 less the mean Tanimoto similarity of all ordered pairs, each with itself included (circular fingerprints, radius 2, 1,024 bits).</summary>
    public required double InternalDiversity1 { get; init; }

    /// <summary>1 less the root of its mean square.</summary>
    public required double InternalDiversity2 { get; init; }

    /// <summary>SNN: the mean greatest Tanimoto similarity of a generated molecule to the reference.</summary>
    public required double NearestNeighborSimilarity { get; init; }

    /// <summary>Cosine of counts of Murcko scaffolds with two rings or more; null where a side has none.</summary>
    public required double? ScaffoldSimilarity { get; init; }

    /// <summary>Each quantity of both sets, and how far they lie apart.</summary>
    public required IReadOnlyList<Distribution> Distributions { get; init; }

    /// <summary>What only a chemistry toolkit computes.</summary>
    public required IReadOnlyList<ToolkitFigure> Toolkit { get; init; }

    /// <summary>The page; null where none was written.</summary>
    public required string? Page { get; init; }

    /// <summary>The figures by name, and what each is of, for a table.</summary>
    [JsonIgnore]
    public IEnumerable<(string Name, double? Value, string Of)> Rows
    {
        get
        {
            yield return ("valid", Validity, string.Create(CultureInfo.InvariantCulture, $"{Valid} of {Generated} lines"));
            yield return ("unique@1k", UniqueAt1000.Share, string.Create(CultureInfo.InvariantCulture, $"of the first {UniqueAt1000.Of} valid"));
            yield return ("unique@10k", UniqueAt10000.Share, string.Create(CultureInfo.InvariantCulture, $"of the first {UniqueAt10000.Of} valid"));
            yield return ("unique", Unique.Share, string.Create(CultureInfo.InvariantCulture, $"of {Unique.Of} valid"));
            yield return ("novelty", Novelty, TrainingFile is null ? "no training file given" : $"not in {TrainingFile}");
            yield return ("internal diversity 1", InternalDiversity1, string.Create(CultureInfo.InvariantCulture, $"of the first {Sample} valid"));
            yield return ("internal diversity 2", InternalDiversity2, string.Create(CultureInfo.InvariantCulture, $"of the first {Sample} valid"));
            yield return ("nearest neighbour (SNN)", NearestNeighborSimilarity, string.Create(CultureInfo.InvariantCulture, $"of the first {Sample} valid, in {Reference}"));
            yield return ("scaffold similarity", ScaffoldSimilarity, "scaffolds with two rings or more");
        }
    }
}

/// <summary>How many of the first valid molecules are distinct.</summary>
/// <param name="Of">How many were looked at: fewer than asked for where there are fewer.</param>
/// <param name="Share">0 to 1.</param>
public sealed record UniqueShare(long Of, double Share);

/// <summary>One quantity of two sets.</summary>
public sealed record Distribution
{
    public required string Name { get; init; }

    /// <summary>Empty for counts.</summary>
    public required string Unit { get; init; }

    /// <summary>Null where values are names.</summary>
    public required double? GeneratedMean { get; init; }

    public required double? ReferenceMean { get; init; }

    /// <summary>First Wasserstein distance, in <see cref="Unit"/>; null where values are names.</summary>
    public required double? Wasserstein { get; init; }

    /// <summary>Kullback-Leibler divergence of the reference's shares from the generated ones, nats; a value that one side lacks counts 1e-10. Null where
    /// one side has no value at all.</summary>
    public required double? Divergence { get; init; }

    /// <summary>Shares by value, or by the lower end of a bin.</summary>
    public required IReadOnlyList<DistributionBin> Bins { get; init; }
}

/// <summary>One value, or bin of values, of a <see cref="Distribution"/>.</summary>
/// <param name="Value">A number, or a name.</param>
/// <param name="Generated">Its share there, 0 to 1.</param>
/// <param name="Reference">Its share there.</param>
public sealed record DistributionBin(string Value, double Generated, double Reference);

/// <summary>A figure that a chemistry toolkit makes.</summary>
/// <param name="Name">Such as QED.</param>
/// <param name="Generated">Mean of the generated molecules; null where there is none.</param>
/// <param name="Reference">Mean of the reference.</param>
/// <param name="Value">Wasserstein distance, cosine of fragments, or FCD.</param>
/// <param name="NotComputed">Why there is none; null where there is.</param>
public sealed record ToolkitFigure(string Name, double? Generated, double? Reference, double? Value, string? NotComputed);
