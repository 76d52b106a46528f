namespace ChemScale.Engine.Numerics;

/// <summary>
/// Counter-based random numbers: the k-th number of a stream is a hash (SplitMix64's finaliser, twice) of seed, stream and k, so that
/// streams may
/// be drawn in any order, on any number of threads, with the same outcome.
/// </summary>
public struct CounterRandom(ulong seed, ulong stream)
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
