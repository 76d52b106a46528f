namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// All ways to derive one kind of part with an exact number of heavy atoms and an exact rarity, numbered from 0. Rank to derivation
/// ("unranking") is a binary search for the choice, then mixed radix inside it.
/// </summary>
internal sealed class Derivations
{
    private RunningTotals<Choice> _choices = new();

    /// <summary>This part alone, as the filling of a chain's only slot.</summary>
    public Fillings Alone => field ??= new Fillings(this);

    public long Count => _choices.Total;

    /// <summary>No derivation is longer than this many characters.</summary>
    public int Longest { get; private set; }

    public void Add(Choice choice)
    {
        _choices.Add(choice, choice.Count);
        Longest = Math.Max(Longest, choice.Longest);
    }

    public ref readonly Choice Find(ref long rank) => ref _choices.Find(ref rank);
}

/// <summary>Patterns that take the same fillings, times all ways to fill them.</summary>
internal readonly record struct Choice(string[] Patterns, Fillings? Fillings)
{
    public long Count => checked(Patterns.Length * (Fillings?.Count ?? 1));

    public int Longest => Patterns.Max(p => p.Length) + (Fillings?.Longest ?? 0);
}
