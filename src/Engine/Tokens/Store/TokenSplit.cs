using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// One side of a token store, or its first molecules. They stand in the order of their hash keys: every prefix is an unbiased sample of
/// the whole, and a smaller one is inside a larger one. Reading from many threads is safe.
/// </summary>
public sealed class TokenSplit
{
    private readonly string folder;
    private readonly string name;
    private readonly MappedArray<ushort> tokens;
    private readonly MappedArray<ulong> offsets;

    internal TokenSplit(string folder, string name, MappedArray<ushort> tokens, MappedArray<ulong> offsets, long documents)
    {
        this.folder = folder;
        this.name = name;
        this.tokens = tokens;
        this.offsets = offsets;
        Documents = documents;
        Tokens = (long)(this.offsets[documents] - this.offsets[0]);
    }

    /// <summary>Molecules.</summary>
    public long Documents { get; }

    /// <summary>Ids of all of them, [CLS] and [SEP] included.</summary>
    public long Tokens { get; }

    /// <summary>The ids of molecule <paramref name="index"/>, valid while the store is open.</summary>
    /// <exception cref="InputException">The offsets in the file make no sense.</exception>
    public ReadOnlySpan<ushort> Document(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Documents);
        ReadOnlySpan<ulong> ends = offsets.Slice(index, 2);
        if (ends[0] >= ends[1] || ends[1] > (ulong)tokens.Count || ends[1] - ends[0] > int.MaxValue)
        {
            throw Damaged(index, ends[0], ends[1]);
        }
        return tokens.Slice((long)ends[0], (int)(ends[1] - ends[0]));
    }

    /// <summary>How many ids molecule <paramref name="index"/> has.</summary>
    public int Length(long index) => Document(index).Length;

    /// <summary>The first <paramref name="documents"/> molecules.</summary>
    /// <exception cref="InputException">More than there are.</exception>
    public TokenSplit Subset(long documents)
    {
        if (documents < 1 || documents > Documents)
        {
            throw new InputException(
                $"{folder}: {name} subset",
                $"{documents} molecules",
                $"1 to {Documents}, as many as the store holds");
        }
        return new TokenSplit(folder, name, tokens, offsets, documents);
    }

    private InputException Damaged(long index, ulong start, ulong end) => new(
        Path.Combine(folder, StoreLayout.Offsets(name)),
        $"document {index} from token {start} to {end}",
        $"rising offsets up to {tokens.Count}",
        StoreNames.Damaged);
}
