using System.Runtime.InteropServices;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// A corpus as token ids on disk, memory-mapped: train and validation molecules, their tokenizer, and a manifest. Immutable; any number
/// of processes may read it.
/// </summary>
public sealed class TokenStore : IDisposable
{
    private readonly string _manifestSha256;
    private readonly MappedArray<ushort> _trainTokens;
    private readonly MappedArray<ulong> _trainOffsets;
    private readonly MappedArray<ushort> _validationTokens;
    private readonly MappedArray<ulong> _validationOffsets;
    private Tokenizer? _tokenizer;

    private TokenStore(string folder, StoreManifest manifest, string manifestSha256)
    {
        Folder = folder;
        Manifest = manifest;
        _manifestSha256 = manifestSha256;
        _trainTokens = new(Path.Combine(folder, StoreLayout.Tokens(StoreLayout.Train)), manifest.Train.Tokens);
        _trainOffsets = new(Path.Combine(folder, StoreLayout.Offsets(StoreLayout.Train)), manifest.Train.Documents + 1);
        _validationTokens = new(Path.Combine(folder, StoreLayout.Tokens(StoreLayout.Validation)), manifest.Validation.Tokens);
        _validationOffsets = new(Path.Combine(folder, StoreLayout.Offsets(StoreLayout.Validation)), manifest.Validation.Documents + 1);
        Train = new TokenSplit(folder, StoreLayout.Train, _trainTokens, _trainOffsets, manifest.Train.Documents);
        Validation = new TokenSplit(folder, StoreLayout.Validation, _validationTokens, _validationOffsets, manifest.Validation.Documents);
    }

    public string Folder { get; }

    public StoreManifest Manifest { get; }

    public Tokenizer Tokenizer => _tokenizer!;

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
            StoreStamp.Ensure(folder, StoreLayout.Names, store.Manifest, store._manifestSha256, () => store.Verify(stop));
            store._tokenizer ??= store.LoadTokenizer();
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
        _trainTokens.Dispose();
        _trainOffsets.Dispose();
        _validationTokens.Dispose();
        _validationOffsets.Dispose();
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
        if (files.IsSound(StoreLayout.Tokenizer)) Guarded(() => _tokenizer = LoadTokenizer());
        bool sound = _tokenizer is not null;
        long unknown = 0;
        foreach ((string name, MappedArray<ulong> offsets, SplitCounts counts) in
            ((string, MappedArray<ulong>, SplitCounts)[])[(StoreLayout.Train, _trainOffsets, Manifest.Train), (StoreLayout.Validation, _validationOffsets, Manifest.Validation)])
        {
            RisingOffsets rising = new(Path.Combine(Folder, StoreLayout.Offsets(name)), counts);
            bool known = files.IsSound(StoreLayout.Offsets(name), rising.Look) && _tokenizer is not null;
            MoleculeIds? ids = known ? new(Path.Combine(Folder, StoreLayout.Tokens(name)), _tokenizer!.Vocabulary, offsets) : null;
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
        private ulong _last;
        private ulong _longest;

        public void Look(ReadOnlySpan<byte> part, long at)
        {
            ReadOnlySpan<ulong> offsets = MemoryMarshal.Cast<byte, ulong>(part);
            long first = at / sizeof(ulong);
            for (int i = 0; i < offsets.Length; i++)
            {
                ulong next = offsets[i], length = next - _last;
                bool sound = first + i == 0 ? next == 0 : next > _last && length >= 2;
                if (!sound) throw new InputException(path, $"offset {first + i} of {next} after {_last}", "0, and from there rising by 2 or more", StoreNames.Damaged);
                _longest = Math.Max(_longest, length);
                _last = next;
            }
            if (first + offsets.Length <= counts.Documents) return;
            if (_last != (ulong)counts.Tokens) throw new InputException(path, $"a last offset of {_last}", $"{counts.Tokens}, the number of tokens");
            if (_longest != (ulong)counts.Longest)
                throw new InputException(path, $"a longest molecule of {_longest} tokens", $"{counts.Longest}, as {StoreManifest.FileName} says");
        }
    }

    /// <summary>Ids as they pass: within the vocabulary, [CLS] first and [SEP] last of every molecule.</summary>
    private sealed class MoleculeIds(string path, Vocabulary vocabulary, MappedArray<ulong> offsets)
    {
        private long _document;

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
            for (; _document < offsets.Count - 1; _document++)
            {
                ReadOnlySpan<ulong> ends = offsets.Slice(_document, 2);
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
            if (id != expected) throw new InputException(path, $"document {_document} {verb} with id {id}", $"{expected}", StoreNames.Damaged);
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
