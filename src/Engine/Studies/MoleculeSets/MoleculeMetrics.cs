using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Files;
using ChemScale.Engine.Tokens.Preparation;

namespace ChemScale.Engine.Studies.MoleculeSets;

/// <summary>What to measure against what.</summary>
public sealed record MoleculeMetricsOptions
{
    /// <summary>The molecules to judge: .smi, .txt, .csv or .tsv, possibly gzipped.</summary>
    public required string Generated { get; init; }

    /// <summary>Molecules as they should be, not trained on: such as a test set.</summary>
    public required string Reference { get; init; }

    /// <summary>What the model was trained on, for novelty; null: novelty is not computed.</summary>
    public string? Training { get; init; }

    public MoleculeKind Kind { get; init; } = MoleculeKind.Smiles;

    /// <summary>Column of a table; null: the one named after <see cref="Kind"/>.</summary>
    public string? Column { get; init; }

    /// <summary>Whose symbols the tokens are.</summary>
    public SelfiesGrammar Grammar { get; init; } = SelfiesGrammar.V1;

    /// <summary>How many bonds atoms may make in SELFIES; null: what the grammar has.</summary>
    public BondConstraints? Constraints { get; init; }

    /// <summary>Diversity and nearest neighbours are those of the first so many valid generated molecules: pairs grow with the square.</summary>
    public int Sample { get; init; } = 30_000;

    /// <summary>Folder of metrics.json and metrics.html; null: none is written.</summary>
    public string? Output { get; init; }

    public int Threads { get; init; } = ProcessorBudget.Count;
}

/// <summary>Measures a set of generated molecules as MOSES does (Polykovskiy et al. 2020, doi 10.3389/fphar.2020.565644), on this engine's own graphs.</summary>
public static class MoleculeMetrics
{
    private const string JsonName = "metrics.json", PageName = "metrics.html";

    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <param name="options">What to measure.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="InputException">A file that cannot be read, or holds no molecule.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static SetMetrics Run(MoleculeMetricsOptions options, CancellationToken stop = default)
    {
        if (options.Sample < 1) throw new InputException("sample", $"{options.Sample}", "1 molecule or more");
        ProcessorBudget.Check(options.Threads);
        MoleculeSample generated = Read(options, options.Generated, stop), reference = Read(options, options.Reference, stop);
        int sample = Math.Min(options.Sample, generated.Molecules.Count);
        (double first, double second) = SetSimilarity.Diversity(generated, sample, options.Threads, stop);
        Distribution[] distributions = [.. Distributions.Of(generated, reference)];
        var metrics = new SetMetrics
        {
            GeneratedFile = options.Generated,
            ReferenceFile = options.Reference,
            TrainingFile = options.Training,
            Generated = generated.Lines,
            Valid = generated.Molecules.Count,
            Reference = reference.Molecules.Count,
            UniqueAt1000 = Unique(generated, 1000),
            UniqueAt10000 = Unique(generated, 10_000),
            Unique = Unique(generated, int.MaxValue),
            Novelty = options.Training is null ? null : Novelty(generated, options, stop),
            Sample = sample,
            InternalDiversity1 = first,
            InternalDiversity2 = second,
            NearestNeighborSimilarity = SetSimilarity.NearestNeighbors(generated, sample, reference, options.Threads, stop),
            ScaffoldSimilarity = SetSimilarity.Scaffolds(generated, reference),
            Distributions = distributions,
            Toolkit = ToolkitMetrics.Of(generated, reference, stop),
            Page = options.Output is null ? null : Path.Combine(options.Output, PageName),
        };
        if (options.Output is not { } folder) return metrics;
        Write(Path.Combine(folder, JsonName), JsonSerializer.Serialize(metrics, Written) + "\n");
        Write(Path.Combine(folder, PageName), MetricsPage.Render(metrics));
        return metrics;
    }

    private static MoleculeSample Read(MoleculeMetricsOptions options, string file, CancellationToken stop)
    {
        List<string> lines = Lines(options, file, stop);
        if (lines.Count == 0) throw new InputException(file, "no molecules", "at least one");
        MoleculeSample sample = MoleculeSample.Of(
            lines, options.Kind == MoleculeKind.Selfies, () => SelfiesCodec.Create(options.Grammar, options.Constraints), options.Threads, stop);
        return sample.Molecules.Count > 0 ? sample : throw new InputException(file, $"no valid molecule in {lines.Count} lines", "at least one");
    }

    // A line without its field is one without a molecule.
    private static List<string> Lines(MoleculeMetricsOptions options, string file, CancellationToken stop)
    {
        using FileReader reader = new(new PreparationOptions { Files = [file], Kind = options.Kind, Column = options.Column, Output = "" });
        MoleculeBlock block = new();
        List<string> lines = [];
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            block.Clear();
            if (!reader.Fill(block)) return lines;
            reader.ForEach(block, (_, _, molecule) => lines.Add(molecule.ToString()));
            lines.AddRange(block.Refused.Select(_ => ""));
        }
    }

    private static UniqueShare Unique(MoleculeSample generated, int most)
    {
        int count = Math.Min(most, generated.Molecules.Count);
        return new UniqueShare(count, (double)generated.Molecules.Take(count).Select(m => m.Key).Distinct().Count() / count);
    }

    private static double Novelty(MoleculeSample generated, MoleculeMetricsOptions options, CancellationToken stop)
    {
        List<string> lines = Lines(options, options.Training!, stop);
        if (lines.Count == 0) throw new InputException(options.Training!, "no molecules", "at least one");
        HashSet<MoleculeKey> known = [.. MoleculeSample.Keys(
            lines, options.Kind == MoleculeKind.Selfies, () => SelfiesCodec.Create(options.Grammar, options.Constraints), options.Threads, stop)];
        if (known.Count == 0) throw new InputException(options.Training!, $"no valid molecule in {lines.Count} lines", "at least one");
        MoleculeKey[] distinct = [.. generated.Molecules.Select(m => m.Key).Distinct()];
        return (double)distinct.Count(key => !known.Contains(key)) / distinct.Length;
    }

    private static void Write(string path, string content)
    {
        using var file = PendingFile.ForUser(path);
        file.Writer.Write(content);
        file.Complete();
    }
}
