namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// All ways to derive one kind of part with an exact number of heavy atoms and an exact rarity, numbered from 0. Rank to derivation
/// ("unranking") is a binary search for the choice, then mixed radix inside it.
/// </summary>
internal sealed class Derivations
{
    private readonly List<Choice> _choices = [];
    private long[] _ends = [];

    public long Count { get; private set; }

    /// <summary>No derivation is longer than this many characters.</summary>
    public int Longest { get; private set; }

    public void Add(string[] patterns, Fillings? fillings)
    {
        Choice choice = new(patterns, fillings);
        Count = checked(Count + choice.Count);
        Longest = Math.Max(Longest, choice.Longest);
        _choices.Add(choice);
        _ends = [.. _ends, Count];
    }

    public Choice Find(ref long rank)
    {
        int i = Search.FirstAbove(_ends, rank);
        if (i > 0) rank -= _ends[i - 1];
        return _choices[i];
    }
}

/// <summary>Patterns that take the same fillings, times all ways to fill them.</summary>
internal sealed class Choice(string[] patterns, Fillings? fillings)
{
    public string[] Patterns { get; } = patterns;

    public Fillings? Fillings { get; } = fillings;

    public long Count { get; } = checked(patterns.Length * (fillings?.Count ?? 1));

    public int Longest { get; } = patterns.Max(p => p.Length) + (fillings?.Longest ?? 0);
}

/// <summary>
/// All ways to fill a list of slots that together hold an exact number of heavy atoms and an exact rarity: each split gives the first
/// slot (or the first two, an unordered pair) its share and leaves the rest to the rest of the list.
/// </summary>
internal sealed class Fillings
{
    private readonly List<Split> _splits = [];
    private long[] _ends = [];

    public long Count { get; private set; }

    public int Longest { get; private set; }

    public void Add(Derivations first, Derivations? second, Fillings? rest)
    {
        Split split = new(first, second, rest);
        Count = checked(Count + split.Count);
        Longest = Math.Max(Longest, split.Longest);
        _splits.Add(split);
        _ends = [.. _ends, Count];
    }

    public Split Find(ref long rank)
    {
        int i = Search.FirstAbove(_ends, rank);
        if (i > 0) rank -= _ends[i - 1];
        return _splits[i];
    }
}

/// <summary>One way to share heavy atoms and rarity; <paramref name="second"/> is null unless the first two slots are an unordered pair.</summary>
internal sealed class Split(Derivations first, Derivations? second, Fillings? rest)
{
    public Derivations First { get; } = first;

    public Derivations? Second { get; } = second;

    public Fillings? Rest { get; } = rest;

    public long Count { get; } = checked(Heads(first, second) * (rest?.Count ?? 1));

    public int Longest { get; } = first.Longest + (second?.Longest ?? 0) + (rest?.Longest ?? 0);

    /// <summary>Takes the first slot's rank off <paramref name="rank"/> (and the second's, where there is one) and leaves the rest's.</summary>
    public (long First, long Second) Take(ref long rank)
    {
        long head;
        if (Second is null)
        {
            (rank, head) = Math.DivRem(rank, First.Count);
            return (head, 0);
        }

        (rank, head) = Math.DivRem(rank, Heads(First, Second));
        if (!ReferenceEquals(First, Second))
        {
            (long second, long first) = Math.DivRem(head, First.Count);
            return (first, second);
        }

        // Row and column of a triangular number; the root may be off by one in the last place.
        long row = (long)((Math.Sqrt((8.0 * head) + 1) - 1) / 2);
        while (row * (row + 1) / 2 > head) row--;
        while ((row + 1) * (row + 2) / 2 <= head) row++;
        return (row, head - (row * (row + 1) / 2));
    }

    private static long Heads(Derivations first, Derivations? second) =>
        second is null ? first.Count
        : ReferenceEquals(first, second) ? checked(first.Count * (first.Count + 1)) / 2
        : checked(first.Count * second.Count);
}

internal static class Search
{
    /// <summary>Index of the first element above <paramref name="value"/> in ascending <paramref name="ends"/>.</summary>
    public static int FirstAbove(long[] ends, long value)
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
