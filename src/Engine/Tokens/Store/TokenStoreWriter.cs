using ChemScale.Engine.Files;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// Writes a token store with memory that does not grow with the corpus: documents are dropped into buckets by the top bits of their keys,
/// and at the end one bucket after another is sorted, freed of duplicates and appended to its side. Nothing in the folder
/// changes before <see cref="Complete"/> has everything on disk; a writer disposed before leaves the folder as it was. One thread.
/// </summary>
internal sealed class TokenStoreWriter : IDisposable
{
    private const int BucketBits = 8;

    private readonly TokenStoreOptions options;
    private readonly StoreDraft draft;
    private readonly DocumentBucket[] buckets;

    /// <exception cref="InputException">
    /// The folder holds a store and may not be overwritten, is being written, or cannot be written.
    /// </exception>
    public TokenStoreWriter(string folder, TokenStoreOptions options)
        : this(folder, options, DiskStorage.Shared)
    {
    }

    internal TokenStoreWriter(string folder, TokenStoreOptions options, IStorage storage)
    {
        this.options = options;
        draft = new StoreDraft(folder, options.Overwrite, StoreLayout.Names, storage);
        buckets = new DocumentBucket[1 << BucketBits];
        for (int i = 0; i < buckets.Length; i++)
        {
            string name = $"bucket-{i:x2}";
            buckets[i] = new DocumentBucket(() => draft.Create(name));
        }
    }

    /// <summary>One molecule, on the side of its key.</summary>
    public void Add(ulong key, ReadOnlySpan<ushort> ids) => Add(key, ids, options.Split.IsValidation(key));

    /// <summary>One molecule.</summary>
    /// <param name="key">Its place in the order: a <c>SplitRule.Key</c>.</param>
    /// <param name="ids">Its ids, [CLS] and [SEP] included.</param>
    /// <param name="validation">Its side.</param>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    public void Add(ulong key, ReadOnlySpan<ushort> ids, bool validation)
    {
        try
        {
            buckets[key >> (64 - BucketBits)].Add(key, ids, validation);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw draft.Unwritable(e);
        }
    }

    /// <summary>Sorts, writes, and puts the store in place.</summary>
    /// <param name="tokenizer">Whose ids these are; saved with the store.</param>
    /// <param name="final">Final id of each id that was added; empty where they are final already.</param>
    /// <param name="stop">Gives up between buckets; what was there before still is.</param>
    /// <exception cref="InputException">The folder cannot be written; what was there before still is.</exception>
    public StoreManifest Complete(Tokenizer tokenizer, ReadOnlySpan<ushort> final = default, CancellationToken stop = default)
    {
        try
        {
            draft.Save(StoreLayout.Tokenizer, tokenizer.ToJson());
            StoreManifest manifest = WriteSides(tokenizer, final, stop) with { Files = draft.Files };
            draft.Commit(manifest.ToJson());
            return manifest;
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw draft.Unwritable(e);
        }
    }

    public void Dispose()
    {
        foreach (DocumentBucket bucket in buckets) bucket.Dispose();
        draft.Dispose();
    }

    private StoreManifest WriteSides(Tokenizer tokenizer, ReadOnlySpan<ushort> final, CancellationToken stop)
    {
        using SplitWriter train = new(draft, StoreLayout.Train);
        using SplitWriter validation = new(draft, StoreLayout.Validation);
        long duplicates = 0, unknown = 0;
        foreach (DocumentBucket bucket in buckets)
        {
            stop.ThrowIfCancellationRequested();
            DocumentBlock documents = bucket.Take();
            if (final.Length > 0) documents.Renumber(final);
            documents.Sort();
            for (int i = 0; i < documents.Count; i++)
            {
                if (documents.SameAsPrevious(i, options.Split.Kind != SplitKind.Text))
                {
                    duplicates++;
                    if (!options.KeepDuplicates) continue;
                }
                ReadOnlySpan<ushort> ids = documents.Ids(i);
                unknown += ids.Count(tokenizer.Vocabulary.Unknown);
                (documents.IsValidation(i) ? validation : train).Add(ids);
            }
        }
        return new StoreManifest
        {
            Representation = tokenizer.Representation,
            Grammar = tokenizer.Notation.Grammar,
            VocabularySize = tokenizer.Vocabulary.Size,
            Split = options.Split,
            Train = train.Complete(),
            Validation = validation.Complete(),
            Duplicates = duplicates,
            DuplicatesDropped = !options.KeepDuplicates,
            UnknownTokens = unknown,
            Source = options.Source,
            Synthetic = options.Synthetic,
            Options = options.Record,
            Files = [],
        };
    }
}

/// <summary>How a store is written.</summary>
internal sealed record TokenStoreOptions
{
    /// <summary>Which molecules are held out.</summary>
    public SplitRule Split { get; init; } = new(0.02, 0);

    /// <summary>Keep every copy of a molecule instead of one.</summary>
    public bool KeepDuplicates { get; init; }

    /// <summary>Replace a store that is there, once the new one is complete.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Where the molecules come from, in words.</summary>
    public string Source { get; init; } = "";

    /// <summary>True where the molecules were enumerated, not found.</summary>
    public bool Synthetic { get; init; }

    /// <summary>Further options to record, by name.</summary>
    public IReadOnlyDictionary<string, string> Record { get; init; } = new Dictionary<string, string>();
}

/// <summary>Writes the two files of one side.</summary>
internal sealed class SplitWriter : IDisposable
{
    private readonly StoreDraft draft;
    private readonly ChecksummedFile tokens;
    private readonly ChecksummedFile offsets;
    private long documents;
    private long count;
    private int longest;

    public SplitWriter(StoreDraft draft, string name)
    {
        this.draft = draft;
        tokens = draft.Data(StoreLayout.Tokens(name));
        offsets = draft.Data(StoreLayout.Offsets(name));
        offsets.Write<ulong>([0]);
    }

    public void Add(ReadOnlySpan<ushort> ids)
    {
        tokens.Write(ids);
        documents++;
        count += ids.Length;
        longest = Math.Max(longest, ids.Length);
        offsets.Write<ulong>([(ulong)count]);
    }

    public SplitCounts Complete()
    {
        draft.Add(tokens.Complete());
        draft.Add(offsets.Complete());
        return new SplitCounts(documents, count, longest);
    }

    public void Dispose()
    {
        tokens.Dispose();
        offsets.Dispose();
    }
}
