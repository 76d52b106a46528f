using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// A corpus as token ids on disk, memory-mapped: train and validation molecules, their tokenizer, and a manifest. Immutable; any number
/// of processes may read it.
/// </summary>
public sealed class TokenStore : IDisposable
{
    private const string Damaged = "the file is damaged: prepare the molecules again";

    private readonly MappedArray<ushort> _trainTokens;
    private readonly MappedArray<ulong> _trainOffsets;
    private readonly MappedArray<ushort> _validationTokens;
    private readonly MappedArray<ulong> _validationOffsets;

    private TokenStore(string folder, StoreManifest manifest, Tokenizer tokenizer)
    {
        Folder = folder;
        Manifest = manifest;
        Tokenizer = tokenizer;
        _trainTokens = new(Path.Combine(folder, StoreLayout.Tokens(StoreLayout.Train)), manifest.Train.Tokens);
        _trainOffsets = new(Path.Combine(folder, StoreLayout.Offsets(StoreLayout.Train)), manifest.Train.Documents + 1);
        _validationTokens = new(Path.Combine(folder, StoreLayout.Tokens(StoreLayout.Validation)), manifest.Validation.Tokens);
        _validationOffsets = new(Path.Combine(folder, StoreLayout.Offsets(StoreLayout.Validation)), manifest.Validation.Documents + 1);
        Train = new TokenSplit(folder, StoreLayout.Train, _trainTokens, _trainOffsets, manifest.Train.Documents);
        Validation = new TokenSplit(folder, StoreLayout.Validation, _validationTokens, _validationOffsets, manifest.Validation.Documents);
    }

    public string Folder { get; }

    public StoreManifest Manifest { get; }

    public Tokenizer Tokenizer { get; }

    public TokenSplit Train { get; }

    /// <summary>The held-out molecules: the same whatever part of <see cref="Train"/> is used.</summary>
    public TokenSplit Validation { get; }

    /// <summary>
    /// Opens a complete store. Sizes, counts and the tokenizer are checked here, the contents by <see cref="Verify"/>.
    /// </summary>
    /// <exception cref="InputException">No complete store, or files that contradict its manifest: the file and what is wrong.</exception>
    public static TokenStore Open(string folder)
    {
        string manifestPath = Path.Combine(folder, StoreManifest.FileName);
        if (!File.Exists(manifestPath))
        {
            throw new InputException(folder, $"no {StoreManifest.FileName}", "a complete token store", "make one with prepare");
        }
        try
        {
            StoreManifest manifest = StoreManifest.Parse(File.ReadAllText(manifestPath), manifestPath);
            CheckFiles(folder, manifest, manifestPath);
            Tokenizer tokenizer = Tokenizer.Load(Path.Combine(folder, StoreLayout.Tokenizer));
            if (tokenizer.Vocabulary.Size != manifest.VocabularySize)
            {
                throw new InputException(
                    Path.Combine(folder, StoreLayout.Tokenizer),
                    $"{tokenizer.Vocabulary.Size} tokens",
                    $"{manifest.VocabularySize}, as {StoreManifest.FileName} says");
            }
            TokenStore store = new(folder, manifest, tokenizer);
            CheckEnds(store.Train, manifest.Train, StoreLayout.Train);
            CheckEnds(store.Validation, manifest.Validation, StoreLayout.Validation);
            return store;

            void CheckEnds(TokenSplit split, SplitCounts counts, string name)
            {
                if (split.Tokens == counts.Tokens) return;
                store.Dispose();
                throw new InputException(
                    Path.Combine(folder, StoreLayout.Offsets(name)),
                    $"a last offset of {split.Tokens}",
                    $"{counts.Tokens}, the number of tokens");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(folder, "cannot be read", "a token store", e.Message);
        }
    }

    /// <summary>True where the folder holds a store that was completed.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, StoreManifest.FileName));

    /// <summary>Reads everything: checksums, rising offsets, ids within the vocabulary, [CLS] ... [SEP] around every molecule.</summary>
    /// <exception cref="InputException">The first thing that is wrong.</exception>
    public void Verify()
    {
        foreach (StoredFile file in Manifest.Files)
        {
            StoreFiles.CheckContents(Folder, file, Damaged);
        }
        VerifyDocuments(Train, StoreLayout.Train);
        VerifyDocuments(Validation, StoreLayout.Validation);
    }

    public void Dispose()
    {
        _trainTokens.Dispose();
        _trainOffsets.Dispose();
        _validationTokens.Dispose();
        _validationOffsets.Dispose();
    }

    private static void CheckFiles(string folder, StoreManifest manifest, string manifestPath)
    {
        foreach (string name in StoreLayout.Data)
        {
            StoredFile file = manifest.Files.FirstOrDefault(file => file.Name == name) ?? throw new InputException(
                $"{manifestPath}: files",
                $"no entry for {name}",
                "size and checksum");
            StoreFiles.CheckSize(folder, file, Damaged);
        }
        CheckSizes(StoreLayout.Train, manifest.Train);
        CheckSizes(StoreLayout.Validation, manifest.Validation);

        void CheckSizes(string split, SplitCounts counts)
        {
            Check(StoreLayout.Tokens(split), counts.Tokens, sizeof(ushort));
            Check(StoreLayout.Offsets(split), counts.Documents + 1, sizeof(ulong));
        }

        void Check(string name, long values, int size)
        {
            long bytes = manifest.Files.First(file => file.Name == name).Bytes;
            if (bytes / size != values || bytes % size != 0)
            {
                throw new InputException($"{manifestPath}: files", $"{name} of {bytes} bytes", $"{size} for each of {values} values");
            }
        }
    }

    private void VerifyDocuments(TokenSplit split, string name)
    {
        Vocabulary vocabulary = Tokenizer.Vocabulary;
        string path = Path.Combine(Folder, StoreLayout.Tokens(name));
        for (long i = 0; i < split.Documents; i++)
        {
            ReadOnlySpan<ushort> ids = split.Document(i);
            if (ids[0] != vocabulary.Start || ids[^1] != vocabulary.End)
            {
                throw new InputException(path, $"document {i} from id {ids[0]} to id {ids[^1]}", $"{vocabulary.Start} to {vocabulary.End}");
            }
            foreach (ushort id in ids)
                if (id >= vocabulary.Size) throw new InputException(path, $"id {id} in document {i}", $"ids below {vocabulary.Size}");
        }
    }
}
