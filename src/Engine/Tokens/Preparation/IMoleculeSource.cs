namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Molecules that are made rather than read: addressable by index. Called from many threads at once.</summary>
public interface IMoleculeSource
{
    /// <summary>Names the source in the store and in reports.</summary>
    string Name { get; }

    /// <summary>True where the molecules are enumerated, not found: every figure from them says so.</summary>
    bool Synthetic { get; }

    long Count { get; }

    /// <summary>No molecule has more characters.</summary>
    int MaximumCharacters { get; }

    /// <summary>Writes molecule <paramref name="index"/> and returns its length.</summary>
    int Write(long index, Span<char> molecule);
}
