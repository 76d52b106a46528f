using System.Numerics;

namespace ChemScale.Engine.Numerics;

/// <summary>The rounds of a Feistel network: what each mixes into the other half.</summary>
internal interface IFeistelRounds
{
    int Count { get; }

    ulong Mix(int round, ulong half);
}

/// <summary>
/// A keyed bijection of [0, <see cref="Length"/>) that takes no memory: a balanced Feistel network on the next even number of bits, walked
/// until it lands inside the range (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). Thread safe; not meant for secrets.
/// </summary>
internal readonly struct FeistelNetwork<TRounds>
    where TRounds : IFeistelRounds
{
    private readonly TRounds _rounds;
    private readonly int _halfBits;
    private readonly ulong _mask;

    public FeistelNetwork(long length, TRounds rounds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        Length = length;
        _rounds = rounds;
        int bits = 64 - BitOperations.LeadingZeroCount((ulong)(length - 1));
        _halfBits = Math.Max(1, (bits + 1) / 2);
        _mask = (1UL << _halfBits) - 1;
    }

    public long Length { get; }

    /// <summary>Where <paramref name="index"/>, in [0, Length), is sent.</summary>
    public long this[long index]
    {
        get
        {
            if ((ulong)index >= (ulong)Length) throw new ArgumentOutOfRangeException(nameof(index), index, $"not in [0, {Length})");
            ulong value = (ulong)index;
            do
            {
                ulong left = value >> _halfBits, right = value & _mask;
                for (int round = 0; round < _rounds.Count; round++) (left, right) = (right, left ^ (_rounds.Mix(round, right) & _mask));
                value = (left << _halfBits) | right;
            }
            while (value >= (ulong)Length);
            return (long)value;
        }
    }
}
