namespace ChemScale.Engine.Chemistry.Library;

/// <summary>Items that each stand for a number of ranks; finds the item of a rank. A struct, to be one step nearer.</summary>
internal struct RunningTotals<T>()
{
    private T[] _items = [];
    private long[] _ends = [];
    private int _length;

    public long Total { get; private set; }

    public void Add(T item, long count)
    {
        if (_length == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(1, _length * 2));
            Array.Resize(ref _ends, _items.Length);
        }

        Total = checked(Total + count);
        _items[_length] = item;
        _ends[_length++] = Total;
    }

    /// <summary>The item of <paramref name="rank"/>, which becomes the rank within the item.</summary>
    public readonly ref readonly T Find(ref long rank)
    {
        int i = _length == 1 ? 0 : FirstAbove(_ends.AsSpan(0, _length), rank);
        if (i > 0) rank -= _ends[i - 1];
        return ref _items[i];
    }

    /// <summary>Index of the first element above <paramref name="value"/> in ascending <paramref name="ends"/>.</summary>
    public static int FirstAbove(ReadOnlySpan<long> ends, long value)
    {
        int low = 0;
        int length = ends.Length;
        while (length > 1)
        {
            int half = length >> 1;
            low += ends[low + half - 1] <= value ? half : 0;
            length -= half;
        }

        return low;
    }
}
