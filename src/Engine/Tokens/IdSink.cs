namespace ChemScale.Engine.Tokens;

/// <summary>Ids on their way into a caller's span: counts on where the span is full, so that the caller learns what it needed.</summary>
internal ref struct IdSink(Span<ushort> ids)
{
    private readonly Span<ushort> _ids = ids;

    public int Count { get; private set; }

    public void Add(int id)
    {
        if ((uint)Count < (uint)_ids.Length) _ids[Count] = (ushort)id;
        Count++;
    }

    public void Add(ReadOnlySpan<ushort> ids)
    {
        foreach (ushort id in ids) Add(id);
    }
}
