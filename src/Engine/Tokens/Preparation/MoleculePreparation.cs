using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Files;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// Molecules to a token store: read, cleaned, written as SELFIES, numbered, split and sorted. Streams: memory is bounded at any size,
/// all cores encode, and the result does not depend on their number. A line that cannot be used is refused and counted, never fatal.
/// </summary>
public sealed class MoleculePreparation
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);

    private readonly PreparationOptions _options;
    private readonly IProgress<PreparationProgress>? _progress;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly RefusalCounts _refused = new();
    private readonly SplitRule _split;
    private readonly Tokenizer? _tokenizer;
    private readonly SelfiesGrammar _grammar;
    private readonly GrowingVocabulary _growing = new();
    private TimeSpan _reported;
    private long _lines;
    private long _taken;

    private MoleculePreparation(PreparationOptions options, IProgress<PreparationProgress>? progress)
    {
        _options = options;
        _progress = progress;
        Check(options);
        _split = new SplitRule(options.ValidationFraction, options.Seed);
        _tokenizer = options.TokenizerFile is { } file ? Tokenizer.Load(file) : null;
        _grammar = options.Grammar ?? _tokenizer?.Grammar ?? SelfiesGrammar.V1;
        if (_tokenizer is not null && _tokenizer.Grammar != _grammar)
        {
            throw new InputException(
                options.TokenizerFile!,
                $"a tokenizer for SELFIES {_tokenizer.Grammar.Name()}",
                $"one for {_grammar.Name()}, the grammar asked for");
        }
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
        using IBlockReader reader = _options.Source is { } source ? new SourceReader(source) : new FileReader(_options);
        using TokenStoreWriter writer = new(_options.Output, new TokenStoreOptions
        {
            Split = _split,
            KeepDuplicates = _options.KeepDuplicates,
            Overwrite = _options.Overwrite,
            Source = _options.SourceName,
            Synthetic = _options.Source?.Synthetic ?? false,
            Record = Record(),
        }, storage);
        BlockPipeline.Run(_options.Threads, reader.Fill, () => Encoder(reader).Encode, block => Write(block, writer, reader), cancellation);
        if (_taken == 0) throw NoMolecule();
        Report("sorting and writing", 1);
        (Tokenizer tokenizer, ushort[] final) = _tokenizer is not null
            ? (_tokenizer, [])
            : _growing.Finish(_grammar, _options.MinimumCount);
        StoreManifest manifest = writer.Complete(tokenizer, final);
        Report("done", 1);
        return new PreparationReport
        {
            Store = manifest,
            Lines = _lines,
            Taken = _taken,
            Refused = _refused.ToList(),
            Elapsed = _watch.Elapsed,
        };
    }

    private BlockEncoder Encoder(IBlockReader reader) => new(
        reader,
        _options.Encoder?.Invoke() ?? DefaultEncoder(),
        _tokenizer is not null ? new TokenizerAssigner(_tokenizer) : _growing.Assigner(),
        _split,
        _options.MaximumTokens);

    private IMoleculeEncoder DefaultEncoder() =>
        _options.Kind == MoleculeKind.Selfies ? new SelfiesEncoder() : new SmilesEncoder(_options, _grammar);

    // One thread, blocks in order.
    private bool Write(MoleculeBlock block, TokenStoreWriter writer, IBlockReader reader)
    {
        long last = block.First + block.Count - 1;
        foreach (MoleculeRecord molecule in block.Molecules)
        {
            ReadOnlySpan<ushort> ids = block.Ids(molecule);
            writer.Add(molecule.Key, ids);
            if (_tokenizer is null) _growing.Count(ids);
            _taken++;
            if (_taken != _options.Limit) continue;
            last = molecule.Line;
            break;
        }
        foreach (Refusal refusal in block.Refused)
            if (refusal.Line <= last) _refused.Add(block.Place, refusal);
        _lines += last - block.First + 1;
        if (_watch.Elapsed - _reported > ReportInterval) Report("reading", Progress(reader));
        return _taken != _options.Limit;
    }

    private double Progress(IBlockReader reader) =>
        _options.Limit is { } limit ? Math.Max(reader.Fraction, (double)_taken / limit) : reader.Fraction;

    private void Report(string stage, double fraction)
    {
        _reported = _watch.Elapsed;
        _progress?.Report(new PreparationProgress(stage, fraction, _lines, _taken, _refused.Total, _reported));
    }

    private InputException NoMolecule()
    {
        string place = _options.Source?.Name ?? string.Join(", ", _options.Files);
        RefusedLines? first = _refused.ToList().FirstOrDefault();
        return first is null
            ? new InputException(place, "no molecules", "at least one")
            : new InputException(
                place,
                $"no molecule could be used: {_refused.Total} lines refused, most for '{first.Reason}' ({first.Examples[0]})",
                "at least one molecule");
    }

    private Dictionary<string, string> Record() => new()
    {
        ["input"] = _options.Source is not null ? "enumerated" : _options.Kind.ToString().ToLowerInvariant(),
        ["grammar"] = _grammar.Name(),
        ["vocabulary"] = _options.TokenizerFile is { } file ? Path.GetFileName(file) : "symbols of the corpus",
        ["minimumCount"] = Text(_options.MinimumCount),
        ["limit"] = _options.Limit is { } limit ? Text(limit) : "none",
        ["stereo"] = _options.Kind == MoleculeKind.Selfies ? "as given" : _options.KeepStereo ? "kept" : "stripped",
        ["fragments"] = _options.Kind == MoleculeKind.Selfies ? "as given" : _options.Fragments.ToString().ToLowerInvariant(),
        ["maximumTokens"] = Text(_options.MaximumTokens),
    };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Check(PreparationOptions options)
    {
        if (options.Files.Count == 0 == options.Source is null)
        {
            throw new InputException("molecules", "no input, or two kinds of it", "either files or a source");
        }
        if (options.Limit < 1) throw new InputException("limit", $"{options.Limit}", "at least 1");
        if (options.Threads < 1) throw new InputException("threads", $"{options.Threads}", "at least 1");
        if (options.Column is not null && !options.Files.Any(f => MoleculeFile.KindOf(f) == ".csv"))
            throw new InputException("column", $"'{options.Column}'", "a .csv to take it from");
        if (options.MaximumTokens < 3)
        {
            throw new InputException("maximum tokens", $"{options.MaximumTokens}", "at least 3: [CLS], a symbol, [SEP]");
        }
        if (options.MinimumCount < 1) throw new InputException("minimum count", $"{options.MinimumCount}", "at least 1");
    }
}
