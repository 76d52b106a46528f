using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>
/// Which side a molecule falls on, and its place in the order of its side: both from a hash of its SELFIES and a seed alone. So a
/// molecule falls on the same side in every corpus, and the first n documents are a random sample for every n.
/// </summary>
public sealed record SplitRule
{
    /// <summary>Named in the store, so that a later rule cannot be taken for this one.</summary>
    public const string Name = "xxh64-utf16-v1";

    private const ulong SideSalt = 0xD6E8FEB86659FD93;
    private const double TwoToMinus64 = 1.0 / 18446744073709551616.0;

    /// <exception cref="InputException">A fraction outside [0, 1).</exception>
    public SplitRule(double validationFraction, long seed)
    {
        if (!(validationFraction is >= 0 and < 1))
        {
            throw new InputException("validation fraction", $"{validationFraction}", "a number from 0 up to, not including, 1");
        }
        ValidationFraction = validationFraction;
        Seed = seed;
    }

    public double ValidationFraction { get; }

    public long Seed { get; }

    /// <summary>The molecule's place in the order.</summary>
    public ulong Key(ReadOnlySpan<char> selfies) => StableHash.Of(selfies, (ulong)Seed);

    /// <summary>True where the molecule with this key is held out. Independent of the order of keys.</summary>
    public bool IsValidation(ulong key) => StableHash.Avalanche(key ^ SideSalt) * TwoToMinus64 < ValidationFraction;
}
