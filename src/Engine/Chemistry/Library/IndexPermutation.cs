using System.Numerics;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// A keyed bijection of [0, <see cref="Count"/>): a balanced Feistel network on the next even number of bits, walked until it lands
/// inside the range (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). Thread safe; not meant for secrets.
/// </summary>
public sealed class IndexPermutation
{
    private const int Rounds = 4;
    private readonly ulong[] _keys = new ulong[Rounds];
    private readonly int _halfBits;
    private readonly ulong _mask;

    /// <param name="count">Size of the range, 1 to 2^62.</param>
    /// <param name="seed">Chooses the permutation.</param>
    public IndexPermutation(long count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 1L << 62);
        Count = count;
        int bits = 64 - BitOperations.LeadingZeroCount((ulong)(count - 1));
        _halfBits = Math.Max(1, (bits + 1) / 2);
        _mask = (1UL << _halfBits) - 1;
        for (int round = 0; round < Rounds; round++) _keys[round] = Mix(seed + (0x9E3779B97F4A7C15UL * (ulong)(round + 1)));
    }

    public long Count { get; }

    /// <summary>Where <paramref name="index"/>, in [0, Count), is sent.</summary>
    public long this[long index]
    {
        get
        {
            if ((ulong)index >= (ulong)Count) throw new ArgumentOutOfRangeException(nameof(index), index, $"not in [0, {Count})");
            ulong value = (ulong)index;
            do value = Encrypt(value);
            while (value >= (ulong)Count);
            return (long)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        ulong left = value >> _halfBits;
        ulong right = value & _mask;
        foreach (ulong key in _keys) (left, right) = (right, left ^ (Mix(right ^ key) & _mask));
        return (left << _halfBits) | right;
    }

    /// <summary>The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
