using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>Writes the two files of one side.</summary>
internal sealed class SplitWriter : IDisposable
{
    private readonly StoreDraft _draft;
    private readonly ChecksummedFile _tokens;
    private readonly ChecksummedFile _offsets;
    private long _documents;
    private long _count;
    private int _longest;

    public SplitWriter(StoreDraft draft, string name)
    {
        _draft = draft;
        _tokens = draft.Data(StoreLayout.Tokens(name));
        _offsets = draft.Data(StoreLayout.Offsets(name));
        _offsets.Write<ulong>([0]);
    }

    public void Add(ReadOnlySpan<ushort> ids)
    {
        _tokens.Write(ids);
        _documents++;
        _count += ids.Length;
        _longest = Math.Max(_longest, ids.Length);
        _offsets.Write<ulong>([(ulong)_count]);
    }

    public SplitCounts Complete()
    {
        _draft.Add(_tokens.Complete());
        _draft.Add(_offsets.Complete());
        return new SplitCounts(_documents, _count, _longest);
    }

    public void Dispose()
    {
        _tokens.Dispose();
        _offsets.Dispose();
    }
}
