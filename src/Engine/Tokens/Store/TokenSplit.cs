using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// One side of a token store, or its first molecules. They stand in the order of their hash keys: every prefix is an unbiased sample of
/// the whole, and a smaller one is inside a larger one. Reading from many threads is safe.
/// </summary>
public sealed class TokenSplit
{
    private readonly string _folder;
    private readonly string _name;
    private readonly MappedArray<ushort> _tokens;
    private readonly MappedArray<ulong> _offsets;

    internal TokenSplit(string folder, string name, MappedArray<ushort> tokens, MappedArray<ulong> offsets, long documents)
    {
        _folder = folder;
        _name = name;
        _tokens = tokens;
        _offsets = offsets;
        Documents = documents;
        Tokens = (long)(_offsets[documents] - _offsets[0]);
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
        ReadOnlySpan<ulong> ends = _offsets.Slice(index, 2);
        if (ends[0] >= ends[1] || ends[1] > (ulong)_tokens.Count || ends[1] - ends[0] > int.MaxValue)
        {
            throw Damaged(index, ends[0], ends[1]);
        }
        return _tokens.Slice((long)ends[0], (int)(ends[1] - ends[0]));
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
                $"{_folder}: {_name} subset",
                $"{documents} molecules",
                $"1 to {Documents}, as many as the store holds");
        }
        return new TokenSplit(_folder, _name, _tokens, _offsets, documents);
    }

    private InputException Damaged(long index, ulong start, ulong end) => new(
        Path.Combine(_folder, StoreLayout.Offsets(_name)),
        $"document {index} from token {start} to {end}",
        $"rising offsets up to {_tokens.Count}",
        StoreNames.Damaged);
}
