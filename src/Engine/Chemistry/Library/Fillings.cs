namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// All ways to fill a list of slots that together hold an exact number of heavy atoms and an exact rarity: each split gives the first
/// slot (or the first two, an unordered pair) its share and leaves the rest to the rest of the list.
/// </summary>
internal sealed class Fillings
{
    private RunningTotals<Split> splits = new();

    public Fillings()
    {
    }

    public Fillings(Derivations only) => Add(new Split(only, null, null));

    public long Count => splits.Total;

    public int Longest { get; private set; }

    public void Add(Split split)
    {
        splits.Add(split, split.Count);
        Longest = Math.Max(Longest, split.Longest);
    }

    public ref readonly Split Find(ref long rank) => ref splits.Find(ref rank);
}

/// <summary>
/// One way to share heavy atoms and rarity; <paramref name="Second"/> is null unless the first two slots are an unordered pair.
/// </summary>
internal readonly record struct Split(Derivations First, Derivations? Second, Fillings? Rest)
{
    public long Count => checked(Heads * (Rest?.Count ?? 1));

    public int Longest => First.Longest + (Second?.Longest ?? 0) + (Rest?.Longest ?? 0);

    private long Heads =>
        Second is null ? First.Count
        : ReferenceEquals(First, Second) ? checked(First.Count * (First.Count + 1)) / 2
        : checked(First.Count * Second.Count);

    /// <summary>Takes the first slot's rank off <paramref name="rank"/> (and a pair's second) and leaves the rest's.</summary>
    public (long First, long Second) Take(ref long rank)
    {
        long head;
        if (Rest is null) (head, rank) = (rank, 0);
        else (rank, head) = Division.DivRem(rank, Heads);
        if (Second is null) return (head, 0);
        if (!ReferenceEquals(First, Second))
        {
            (long second, long first) = Division.DivRem(head, First.Count);
            return (first, second);
        }

        // Row and column of a triangular number; the root may be off by one in the last place.
        long row = (long)((Math.Sqrt((8.0 * head) + 1) - 1) / 2);
        while (row * (row + 1) / 2 > head) row--;
        while ((row + 1) * (row + 2) / 2 <= head) row++;
        return (row, head - (row * (row + 1) / 2));
    }
}

internal static class Division
{
    /// <summary>Division of non-negative numbers; most fit 32 bits, where it is several times faster.</summary>
    public static (long Quotient, long Remainder) DivRem(long value, long divisor)
    {
        if (((value | divisor) >> 32) != 0) return Math.DivRem(value, divisor);
        (uint quotient, uint remainder) = Math.DivRem((uint)value, (uint)divisor);
        return (quotient, remainder);
    }
}

/// <summary>
/// All ways to derive one kind of part with an exact number of heavy atoms and an exact rarity, numbered from 0. Rank to derivation
/// ("unranking") is a binary search for the choice, then mixed radix inside it.
/// </summary>
internal sealed class Derivations
{
    private RunningTotals<Choice> choices = new();

    /// <summary>This part alone, as the filling of a chain's only slot.</summary>
    public Fillings Alone => field ??= new Fillings(this);

    public long Count => choices.Total;

    /// <summary>No derivation is longer than this many characters.</summary>
    public int Longest { get; private set; }

    public void Add(Choice choice)
    {
        choices.Add(choice, choice.Count);
        Longest = Math.Max(Longest, choice.Longest);
    }

    public ref readonly Choice Find(ref long rank) => ref choices.Find(ref rank);
}

/// <summary>Patterns that take the same fillings, times all ways to fill them.</summary>
internal readonly record struct Choice(string[] Patterns, Fillings? Fillings)
{
    public long Count => checked(Patterns.Length * (Fillings?.Count ?? 1));

    public int Longest => Patterns.Max(p => p.Length) + (Fillings?.Longest ?? 0);
}
