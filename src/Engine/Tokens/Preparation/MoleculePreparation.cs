using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Files;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// Molecules to a token store: read, cleaned, written as SELFIES or SMILES, numbered, split and sorted. Streams: memory is bounded at any size,
/// all cores encode, and the result does not depend on their number. A line that cannot be used is refused and counted, never fatal.
/// </summary>
public sealed class MoleculePreparation
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);

    private readonly PreparationOptions options;
    private readonly IProgress<PreparationProgress>? progress;
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly RefusalCounts refused = new(), changed = new();
    private readonly SplitRule split;
    private readonly Tokenizer? tokenizer;
    private readonly Notation notation;
    private readonly GrowingVocabulary growing;
    private TimeSpan reported;
    private long lines;
    private long taken;

    private MoleculePreparation(PreparationOptions options, IProgress<PreparationProgress>? progress)
    {
        this.options = options;
        this.progress = progress;
        Check(options);
        split = new SplitRule(options.ValidationFraction, options.Seed, options.Split ?? (options.Source is null ? SplitKind.Molecule : SplitKind.Text));
        notation = NotationOf(options, out tokenizer);
        growing = new GrowingVocabulary(notation.Representation);
        if (options.KeepStereo && this.tokenizer is not null && !StereoSymbols.Has(this.tokenizer.Vocabulary))
            throw new InputException(options.TokenizerFile!, "no symbol with stereo (@, / or \\)", "some, as stereo is to be kept");
    }

    /// <summary>Prepares a store.</summary>
    /// <exception cref="InputException">
    /// Options, files or folders that cannot be used, or no molecule at all: nothing was written then, and a store that was there still is.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled: nothing was written.</exception>
    public static PreparationReport Run(
        PreparationOptions options,
        IProgress<PreparationProgress>? progress = null,
        CancellationToken cancellation = default) =>
        new MoleculePreparation(options, progress).Run(DiskStorage.Shared, cancellation);

    internal static PreparationReport Run(PreparationOptions options, IStorage storage) =>
        new MoleculePreparation(options, null).Run(storage, CancellationToken.None);

    private PreparationReport Run(IStorage storage, CancellationToken cancellation)
    {
        using IBlockReader reader = options.Source is { } source ? new SourceReader(source) : new FileReader(options, cancellation);
        using TokenStoreWriter writer = new(options.Output, new TokenStoreOptions
        {
            Split = split,
            KeepDuplicates = options.KeepDuplicates,
            Overwrite = options.Overwrite,
            Source = options.SourceName,
            Synthetic = options.Source?.Synthetic ?? false,
            Record = Record(),
        }, storage);
        bool Fill(MoleculeBlock block)
        {
            block.Clear();
            return reader.Fill(block);
        }
        BlockPipeline.Run(options.Threads, Fill, () => Encoder(reader).Encode, block => Write(block, writer, reader), cancellation);
        if (taken == 0) throw NoMolecule();
        Report("sorting and writing", 1);
        (Tokenizer tokenizer, ushort[] final) = this.tokenizer is not null
            ? (this.tokenizer, [])
            : growing.Finish(notation, options.MinimumCount);
        StoreManifest manifest = writer.Complete(tokenizer, final, cancellation);
        Report("done", 1);
        return new PreparationReport
        {
            Store = manifest,
            Lines = lines,
            Taken = taken,
            Refused = refused.ToList(),
            Changed = changed.ToList(),
            Elapsed = watch.Elapsed,
        };
    }

    private BlockEncoder Encoder(IBlockReader reader) => new(
        reader,
        options.Encoder?.Invoke() ?? MoleculeEncoders.Create(options, notation),
        tokenizer is not null ? new TokenizerAssigner(tokenizer) : growing.Assigner(),
        new MoleculePlacer(split, notation.CreateCodec()),
        options.MaximumTokens);

    /// <exception cref="InputException">A tokenizer of another representation, or options of SELFIES where there are none.</exception>
    private static Notation NotationOf(PreparationOptions options, out Tokenizer? tokenizer)
    {
        tokenizer = options.TokenizerFile is { } file ? Tokenizer.Load(file) : null;
        Representation representation = options.Representation ?? tokenizer?.Representation ?? Representation.Selfies;
        if (tokenizer is not null && tokenizer.Representation != representation)
            throw new InputException(options.TokenizerFile!, $"a tokenizer of {tokenizer.Representation.ToString().ToUpperInvariant()}",
                $"one of {representation.ToString().ToUpperInvariant()}, the representation asked for");
        bool selfies = representation == Representation.Selfies;
        if (!selfies && options.Kind == MoleculeKind.Smiles && (options.Grammar is not null || options.Constraints is not null))
            throw new InputException(options.Grammar is not null ? "grammar" : "constraints", "given for SMILES that are stored as SMILES", "none: SELFIES alone have it");
        if (selfies) tokenizer = tokenizer?.With(options.Grammar, options.Constraints);
        Notation given = selfies && tokenizer is not null ? tokenizer.Notation : new Notation(representation, options.Grammar ?? SelfiesGrammar.V1, options.Constraints);
        bool canonical = options.Canonical || tokenizer?.Notation.Canonical == true;
        tokenizer = tokenizer?.Written(canonical);
        return given with { Canonical = canonical };
    }

    // One thread, blocks in order.
    private bool Write(MoleculeBlock block, TokenStoreWriter writer, IBlockReader reader)
    {
        long last = block.First + block.Count - 1;
        foreach (MoleculeRecord molecule in block.Molecules)
        {
            ReadOnlySpan<ushort> ids = block.Ids(molecule);
            writer.Add(molecule.Place.Key, ids, molecule.Place.Validation);
            if (tokenizer is null) growing.Count(ids);
            taken++;
            if (taken != options.Limit) continue;
            last = molecule.Line;
            break;
        }
        foreach (Refusal refusal in block.Refused)
            if (refusal.Line <= last) refused.Add(block.Place, refusal);
        foreach (Refusal change in block.Changed)
            if (change.Line <= last) changed.Add(block.Place, change);
        lines += last - block.First + 1;
        if (watch.Elapsed - reported > ReportInterval) Report("reading", Progress(reader));
        return taken != options.Limit;
    }

    private double Progress(IBlockReader reader) =>
        options.Limit is { } limit ? Math.Max(reader.Fraction, (double)taken / limit) : reader.Fraction;

    private void Report(string stage, double fraction)
    {
        reported = watch.Elapsed;
        progress?.Report(new PreparationProgress(stage, fraction, lines, taken, refused.Total, reported));
    }

    private InputException NoMolecule()
    {
        string place = options.Source?.Name ?? string.Join(", ", options.Files);
        RefusedLines? first = this.refused.ToList().FirstOrDefault();
        return first is null
            ? new InputException(place, "no molecules", "at least one")
            : new InputException(
                place,
                $"no molecule could be used: {this.refused.Total} lines refused, most for '{first.Reason}' ({first.Examples[0]})",
                "at least one molecule");
    }

    private Dictionary<string, string> Record()
    {
        Dictionary<string, string> record = CommonRecord();
        if (notation.IsSmiles && options.Kind == MoleculeKind.Smiles) record.Remove("grammar");
        if (notation.Constraints is { } constraints && !constraints.Equals(notation.Grammar.Constraints())) record["constraints"] = constraints.ToString();
        return record;
    }

    private Dictionary<string, string> CommonRecord() => new()
    {
        ["input"] = options.Source is not null ? "enumerated" : options.Kind.ToString().ToLowerInvariant(),
        ["representation"] = notation.Representation.ToString().ToLowerInvariant(),
        ["writing"] = notation.Canonical ? "canonical" : "as given",
        ["grammar"] = notation.Grammar.Name(),
        ["vocabulary"] = options.TokenizerFile is { } file ? Path.GetFileName(file) : "symbols of the corpus",
        ["minimumCount"] = Text(options.MinimumCount),
        ["limit"] = options.Limit is { } limit ? Text(limit) : "none",
        ["stereo"] = options.Kind == MoleculeKind.Selfies ? "as given" : options.KeepStereo ? "kept" : "stripped",
        ["fragments"] = options.Kind == MoleculeKind.Selfies ? "as given" : options.Fragments.ToString().ToLowerInvariant(),
        ["maximumTokens"] = Text(options.MaximumTokens),
    };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Check(PreparationOptions options)
    {
        if (options.Files.Count == 0 == options.Source is null)
        {
            throw new InputException("molecules", "no input, or two kinds of it", "either files or a source");
        }
        if (options.Limit < 1) throw new InputException("limit", $"{options.Limit}", "at least 1");
        ProcessorBudget.Check(options.Threads);
        if (options.Column is not null && !options.Files.Any(MoleculeFile.IsTable))
            throw new InputException("column", $"'{options.Column}'", "a .csv or .tsv to take it from");
        if (options.MaximumTokens < 3)
        {
            throw new InputException("maximum tokens", $"{options.MaximumTokens}", "at least 3: [CLS], a symbol, [SEP]");
        }
        if (options.MinimumCount < 1) throw new InputException("minimum count", $"{options.MinimumCount}", "at least 1");
    }
}
