namespace ChemScale.Engine.Chemistry.Library;

/// <summary>Items that each stand for a number of ranks; finds the item of a rank. A struct, to be one step nearer.</summary>
internal struct RunningTotals<T>()
{
    private T[] items = [];
    private long[] ends = [];
    private int length;

    public long Total { get; private set; }

    public void Add(T item, long count)
    {
        if (length == items.Length)
        {
            Array.Resize(ref items, Math.Max(1, length * 2));
            Array.Resize(ref ends, items.Length);
        }

        Total = checked(Total + count);
        items[length] = item;
        ends[length++] = Total;
    }

    /// <summary>The item of <paramref name="rank"/>, which becomes the rank within the item.</summary>
    public readonly ref readonly T Find(ref long rank)
    {
        int i = length == 1 ? 0 : FirstAbove(ends.AsSpan(0, length), rank);
        if (i > 0) rank -= ends[i - 1];
        return ref items[i];
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
