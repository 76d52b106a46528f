namespace ChemScale.Engine.Numerics;

/// <summary>
/// Counter-based random numbers: the k-th number of a stream is a hash (SplitMix64's finaliser, twice) of seed, stream and k, so that
/// streams may
/// be drawn in any order, on any number of threads, with the same outcome.
/// </summary>
internal struct CounterRandom(ulong seed, ulong stream)
{
    private readonly ulong key = Mix(Mix(seed + SplitMix64.Step) ^ Mix(stream * 0xD1342543DE82EF95 + 1));
    private ulong counter;

    public ulong NextUInt64() => Mix(Mix(key + ++counter * SplitMix64.Step) ^ key);

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in 0 .. <paramref name="count"/> - 1, without bias (Lemire's multiplication with rejection).</summary>
    public int NextInt(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ulong n = (ulong)count, limit = (0 - n) % n;
        while (true)
        {
            ulong high = Math.BigMul(NextUInt64(), n, out ulong low);
            if (low >= limit) return (int)high;
        }
    }

    /// <summary>Standard normal (Box and Muller, one of the pair).</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    private static ulong Mix(ulong z) => SplitMix64.Mix(z);
}

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
