namespace ChemScale.Engine.Numerics;

/// <summary>The parts of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers on every platform.</summary>
internal static class SplitMix64
{
    /// <summary>2^64 over the golden ratio, odd: steps of it visit every number and lie evenly.</summary>
    public const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>The finalizer: a bijection that looks random.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
