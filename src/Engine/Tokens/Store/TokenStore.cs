using System.Runtime.InteropServices;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// A corpus as token ids on disk, memory-mapped: train and validation molecules, their tokenizer, and a manifest. Immutable; any number
/// of processes may read it.
/// </summary>
public sealed class TokenStore : IDisposable
{
    private readonly string manifestSha256;
    private readonly MappedArray<ushort> trainTokens;
    private readonly MappedArray<ulong> trainOffsets;
    private readonly MappedArray<ushort> validationTokens;
    private readonly MappedArray<ulong> validationOffsets;
    private Tokenizer? tokenizer;

    private TokenStore(string folder, StoreManifest manifest, string manifestSha256)
    {
        Folder = folder;
        Manifest = manifest;
        this.manifestSha256 = manifestSha256;
        trainTokens = new(Path.Combine(folder, StoreLayout.Tokens(StoreLayout.Train)), manifest.Train.Tokens);
        trainOffsets = new(Path.Combine(folder, StoreLayout.Offsets(StoreLayout.Train)), manifest.Train.Documents + 1);
        validationTokens = new(Path.Combine(folder, StoreLayout.Tokens(StoreLayout.Validation)), manifest.Validation.Tokens);
        validationOffsets = new(Path.Combine(folder, StoreLayout.Offsets(StoreLayout.Validation)), manifest.Validation.Documents + 1);
        Train = new TokenSplit(folder, StoreLayout.Train, trainTokens, trainOffsets, manifest.Train.Documents);
        Validation = new TokenSplit(folder, StoreLayout.Validation, validationTokens, validationOffsets, manifest.Validation.Documents);
    }

    public string Folder { get; }

    public StoreManifest Manifest { get; }

    public Tokenizer Tokenizer => tokenizer!;

    public TokenSplit Train { get; }

    /// <summary>The held-out molecules: the same whatever part of <see cref="Train"/> is used.</summary>
    public TokenSplit Validation { get; }

    /// <summary>
    /// Opens a complete store. Sizes and counts are checked each time; the contents are read whole, as <see cref="Verify(CancellationToken)"/> does,
    /// unless they were found sound before and no file has changed since.
    /// </summary>
    /// <param name="folder">The store.</param>
    /// <param name="stop">Ends the reading of the contents.</param>
    /// <exception cref="InputException">No complete store, or files that contradict its manifest: the file and what is wrong.</exception>
    public static TokenStore Open(string folder, CancellationToken stop = default)
    {
        TokenStore store = Map(folder);
        try
        {
            StoreStamp.Ensure(folder, StoreLayout.Names, store.Manifest, store.manifestSha256, () => store.Verify(stop));
            store.tokenizer ??= store.LoadTokenizer();
            store.CheckEnds();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>True where the folder holds a store that was completed.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, StoreManifest.FileName));

    /// <summary>Reads a store whole, whatever is known of it, and says everything that is wrong.</summary>
    /// <param name="folder">The store.</param>
    /// <param name="wrong">Gets each file that is wrong.</param>
    /// <param name="stop">Ends the reading.</param>
    internal static void Verify(string folder, Action<InputException> wrong, CancellationToken stop)
    {
        try
        {
            using TokenStore store = Map(folder);
            store.Verify(wrong, stop);
        }
        catch (InputException e)
        {
            wrong(e);
        }
    }

    /// <summary>
    /// Reads everything: checksums, rising offsets, ids within the vocabulary, [CLS] ... [SEP] around every molecule, the manifest's counts.
    /// </summary>
    /// <exception cref="InputException">The first thing that is wrong.</exception>
    public void Verify(CancellationToken stop = default) => Verify(static e => throw e, stop);

    public void Dispose()
    {
        trainTokens.Dispose();
        trainOffsets.Dispose();
        validationTokens.Dispose();
        validationOffsets.Dispose();
    }

    private static TokenStore Map(string folder)
    {
        try
        {
            StoreManifest manifest = StoreManifest.Read(folder, out string sha256);
            string path = Path.Combine(folder, StoreManifest.FileName);
            StoreFiles.CheckSize(folder, manifest.Expect(path, StoreLayout.Tokenizer));
            foreach ((string name, SplitCounts counts) in (ReadOnlySpan<(string, SplitCounts)>)
                [(StoreLayout.Train, manifest.Train), (StoreLayout.Validation, manifest.Validation)])
            {
                StoreFiles.CheckSize(folder, manifest.Expect(path, StoreLayout.Tokens(name), counts.Tokens, sizeof(ushort)));
                StoreFiles.CheckSize(folder, manifest.Expect(path, StoreLayout.Offsets(name), counts.Documents + 1, sizeof(ulong)));
            }
            return new TokenStore(folder, manifest, sha256);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(folder, "cannot be read", "a token store", e.Message);
        }
    }

    private Tokenizer LoadTokenizer()
    {
        string path = Path.Combine(Folder, StoreLayout.Tokenizer);
        Tokenizer tokenizer = Tokenizer.Load(path);
        if (tokenizer.Representation != Manifest.Representation)
            throw new InputException(path, $"a tokenizer of {tokenizer.Notation.Name}", $"one of {Manifest.NotationName}, as {StoreManifest.FileName} says");
        return tokenizer.Vocabulary.Size == Manifest.VocabularySize
            ? tokenizer
            : throw new InputException(path, $"{tokenizer.Vocabulary.Size} tokens", $"{Manifest.VocabularySize}, as {StoreManifest.FileName} says");
    }

    private void CheckEnds()
    {
        foreach ((TokenSplit split, SplitCounts counts, string name) in (ReadOnlySpan<(TokenSplit, SplitCounts, string)>)
            [(Train, Manifest.Train, StoreLayout.Train), (Validation, Manifest.Validation, StoreLayout.Validation)])
        {
            if (split.Tokens == counts.Tokens) continue;
            throw new InputException(
                Path.Combine(Folder, StoreLayout.Offsets(name)),
                $"a last offset of {split.Tokens}",
                $"{counts.Tokens}, the number of tokens");
        }
    }

    private void Verify(Action<InputException> wrong, CancellationToken stop)
    {
        StoreFiles files = new(Folder, Manifest, wrong, stop);
        if (files.IsSound(StoreLayout.Tokenizer)) Guarded(() => tokenizer = LoadTokenizer());
        bool sound = tokenizer is not null;
        long unknown = 0;
        foreach ((string name, MappedArray<ulong> offsets, SplitCounts counts) in
            ((string, MappedArray<ulong>, SplitCounts)[])[(StoreLayout.Train, trainOffsets, Manifest.Train), (StoreLayout.Validation, validationOffsets, Manifest.Validation)])
        {
            RisingOffsets rising = new(Path.Combine(Folder, StoreLayout.Offsets(name)), counts);
            bool known = files.IsSound(StoreLayout.Offsets(name), rising.Look) && tokenizer is not null;
            MoleculeIds? ids = known ? new(Path.Combine(Folder, StoreLayout.Tokens(name)), tokenizer!.Vocabulary, offsets) : null;
            sound &= files.IsSound(StoreLayout.Tokens(name), ids is null ? null : ids.Look) && known;
            unknown += ids?.Unknown ?? 0;
        }
        if (sound && unknown != Manifest.UnknownTokens)
            wrong(new InputException($"{Path.Combine(Folder, StoreManifest.FileName)}: unknownTokens", $"{Manifest.UnknownTokens}", $"{unknown}, which the molecules have"));

        void Guarded(Action action)
        {
            try
            {
                action();
            }
            catch (InputException e)
            {
                wrong(e);
            }
        }
    }

    /// <summary>Offsets as they pass: from 0, rising, at least [CLS] and [SEP] apart, to the number of tokens; the longest as counted.</summary>
    private sealed class RisingOffsets(string path, SplitCounts counts)
    {
        private ulong last;
        private ulong longest;

        public void Look(ReadOnlySpan<byte> part, long at)
        {
            ReadOnlySpan<ulong> offsets = MemoryMarshal.Cast<byte, ulong>(part);
            long first = at / sizeof(ulong);
            for (int i = 0; i < offsets.Length; i++)
            {
                ulong next = offsets[i], length = next - this.last;
                bool sound = first + i == 0 ? next == 0 : next > this.last && length >= 2;
                if (!sound) throw new InputException(path, $"offset {first + i} of {next} after {this.last}", "0, and from there rising by 2 or more", StoreNames.Damaged);
                this.longest = Math.Max(this.longest, length);
                this.last = next;
            }
            if (first + offsets.Length <= counts.Documents) return;
            if (this.last != (ulong)counts.Tokens) throw new InputException(path, $"a last offset of {this.last}", $"{counts.Tokens}, the number of tokens");
            if (this.longest != (ulong)counts.Longest)
                throw new InputException(path, $"a longest molecule of {this.longest} tokens", $"{counts.Longest}, as {StoreManifest.FileName} says");
        }
    }

    /// <summary>Ids as they pass: within the vocabulary, [CLS] first and [SEP] last of every molecule.</summary>
    private sealed class MoleculeIds(string path, Vocabulary vocabulary, MappedArray<ulong> offsets)
    {
        private long document;

        /// <summary>How many were [UNK].</summary>
        public long Unknown { get; private set; }

        public void Look(ReadOnlySpan<byte> part, long at)
        {
            ReadOnlySpan<ushort> ids = MemoryMarshal.Cast<byte, ushort>(part);
            long first = at / sizeof(ushort), end = first + ids.Length;
            int beyond = ids.IndexOfAnyExceptInRange((ushort)0, (ushort)(vocabulary.Size - 1));
            if (beyond >= 0)
                throw new InputException(path, $"id {ids[beyond]} in document {DocumentOf(first + beyond)}", $"ids below {vocabulary.Size}", StoreNames.Damaged);
            Unknown += ids.Count(vocabulary.Unknown);
            for (; this.document < offsets.Count - 1; this.document++)
            {
                ReadOnlySpan<ulong> ends = offsets.Slice(this.document, 2);
                long start = (long)ends[0], last = (long)ends[1] - 1;
                if (start >= end) return;
                if (start >= first) Expect(ids[(int)(start - first)], vocabulary.Start, "begins");
                // Its end is in a later part; it is looked at again there.
                if (last >= end) return;
                Expect(ids[(int)(last - first)], vocabulary.End, "ends");
            }
        }

        private void Expect(ushort id, ushort expected, string verb)
        {
            if (id != expected) throw new InputException(path, $"document {this.document} {verb} with id {id}", $"{expected}", StoreNames.Damaged);
        }

        private long DocumentOf(long token)
        {
            long low = 0, high = offsets.Count - 1;
            while (high - low > 1)
            {
                long middle = (low + high) / 2;
                if ((long)offsets[middle] <= token) low = middle;
                else high = middle;
            }
            return low;
        }
    }
}
