using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>A keyed bijection of [0, <see cref="Count"/>): the order of a library's molecules. Thread safe; not meant for secrets.</summary>
public sealed class IndexPermutation
{
    private readonly FeistelNetwork<Rounds> _network;

    /// <param name="count">Size of the range, 1 to 2^62.</param>
    /// <param name="seed">Chooses the permutation.</param>
    public IndexPermutation(long count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 1L << 62);
        _network = new FeistelNetwork<Rounds>(count, new Rounds(seed));
    }

    public long Count => _network.Length;

    /// <summary>Where <paramref name="index"/>, in [0, Count), is sent.</summary>
    public long this[long index] => _network[index];

    private readonly struct Rounds(ulong seed) : IFeistelRounds
    {
        private readonly ulong[] _keys = [.. Enumerable.Range(1, 4).Select(round => SplitMix64.Mix(seed + SplitMix64.Step * (ulong)round))];

        public int Count => _keys.Length;

        public ulong Mix(int round, ulong half) => SplitMix64.Mix(half ^ _keys[round]);
    }
}
