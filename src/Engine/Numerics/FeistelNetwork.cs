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
    private readonly TRounds rounds;
    private readonly int halfBits;
    private readonly ulong mask;

    public FeistelNetwork(long length, TRounds rounds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        Length = length;
        this.rounds = rounds;
        int bits = 64 - BitOperations.LeadingZeroCount((ulong)(length - 1));
        halfBits = Math.Max(1, (bits + 1) / 2);
        mask = (1UL << halfBits) - 1;
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
                ulong left = value >> halfBits, right = value & mask;
                for (int round = 0; round < rounds.Count; round++) (left, right) = (right, left ^ (rounds.Mix(round, right) & mask));
                value = (left << halfBits) | right;
            }
            while (value >= (ulong)Length);
            return (long)value;
        }
    }
}
