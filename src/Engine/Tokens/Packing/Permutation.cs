using System.Numerics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Packing;

/// <summary>
/// A random order of 0..n-1 that takes no memory: a Feistel network keyed by seed and epoch over the next even power of two, walked
/// until it falls below n (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). The i-th entry needs no other.
/// </summary>
public readonly struct Permutation
{
    private const int Rounds = 6;

    private readonly ulong _key;
    private readonly int _halfBits;
    private readonly ulong _halfMask;

    public Permutation(long length, long seed, long epoch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        Length = length;
        _key = StableHash.Avalanche((ulong)seed ^ StableHash.Avalanche((ulong)epoch + 1));
        int bits = 64 - BitOperations.LeadingZeroCount((ulong)(length - 1));
        _halfBits = Math.Max(1, (bits + 1) / 2);
        _halfMask = (1UL << _halfBits) - 1;
    }

    public long Length { get; }

    public long this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Length);
            ulong value = (ulong)index;
            do value = Network(value);
            while (value >= (ulong)Length);
            return (long)value;
        }
    }

    private ulong Network(ulong value)
    {
        ulong left = value >> _halfBits, right = value & _halfMask;
        for (ulong round = 0; round < Rounds; round++)
        {
            ulong mixed = StableHash.Avalanche(_key + right * 0x9E3779B97F4A7C15 + (round << 56));
            (left, right) = (right, left ^ (mixed & _halfMask));
        }
        return (left << _halfBits) | right;
    }
}
