using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Tokens.Packing;

/// <summary>A random order of 0..n-1 that takes no memory, another one for each seed and epoch. The i-th entry needs no other.</summary>
internal readonly struct Permutation(long length, long seed, long epoch)
{
    private readonly FeistelNetwork<Rounds> network = new(length, new(StableHash.Avalanche((ulong)seed ^ StableHash.Avalanche((ulong)epoch + 1))));

    public long Length => network.Length;

    public long this[long index] => network[index];

    private readonly struct Rounds(ulong key) : IFeistelRounds
    {
        public int Count => 6;

        public ulong Mix(int round, ulong half) => StableHash.Avalanche(key + half * SplitMix64.Step + ((ulong)round << 56));
    }
}
