using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// A synthetic library of drug-like molecules, each computed from its index: a keyed permutation of [0, Count), then a number in a
/// grammar of ring systems, chains and small groups. Neighbouring indices are unrelated and any run of indices is an even sample.
/// Every index is another molecule. Thread safe; the tables are built once per process, in about a second.
/// </summary>
public sealed class VirtualLibrary
{
    /// <summary>No molecule is longer than this many characters.</summary>
    public const int LongestSmiles = 128;

    private static readonly Lazy<BlockTable> Blocks = new(() => new BlockTable(1_000_000_000_000));

    private readonly BlockTable blocks = Blocks.Value;
    private readonly IndexPermutation order;

    /// <param name="seed">The order of the molecules; their set is the same for every seed.</param>
    public VirtualLibrary(ulong seed = 0)
    {
        Seed = seed;
        order = new IndexPermutation(blocks.Count, seed);
    }

    public ulong Seed { get; }

    /// <summary>Number of molecules.</summary>
    public long Count => blocks.Count;

    /// <summary>
    /// Cross-entropy, in nats per molecule, of the law of fragments that decides which molecules the library holds; at least
    /// ln(<see cref="Count"/>). A reference point for losses on this corpus (divide by tokens per molecule), not a proven floor.
    /// </summary>
    public double NatsPerMolecule => blocks.NatsOfFragments;

    /// <summary>For reports: says that the molecules are synthetic.</summary>
    public string Description => $"virtual library (synthetic: {Count:N0} enumerated molecules, order of seed {Seed})";

    /// <summary>The SMILES of one molecule.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not in [0, <see cref="Count"/>).</exception>
    public string this[long index]
    {
        get
        {
            Span<char> smiles = stackalloc char[LongestSmiles];
            return smiles[..Write(index, smiles)].ToString();
        }
    }

    /// <summary>Writes the SMILES of one molecule and returns its length; allocates nothing.</summary>
    /// <param name="index">In [0, <see cref="Count"/>).</param>
    /// <param name="smiles">At least <see cref="LongestSmiles"/> characters.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside.</exception>
    /// <exception cref="ArgumentException">The span is too short.</exception>
    public int Write(long index, Span<char> smiles)
    {
        if (smiles.Length < LongestSmiles) throw new ArgumentException($"needs room for {LongestSmiles} characters", nameof(smiles));
        return blocks.Write(order[index], smiles);
    }
}

/// <summary>A keyed bijection of [0, <see cref="Count"/>): the order of a library's molecules. Thread safe; not meant for secrets.</summary>
internal sealed class IndexPermutation
{
    private readonly FeistelNetwork<Rounds> network;

    /// <param name="count">Size of the range, 1 to 2^62.</param>
    /// <param name="seed">Chooses the permutation.</param>
    public IndexPermutation(long count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 1L << 62);
        network = new FeistelNetwork<Rounds>(count, new Rounds(seed));
    }

    public long Count => network.Length;

    /// <summary>Where <paramref name="index"/>, in [0, Count), is sent.</summary>
    public long this[long index] => network[index];

    private readonly struct Rounds(ulong seed) : IFeistelRounds
    {
        private readonly ulong[] keys = [.. Enumerable.Range(1, 4).Select(round => SplitMix64.Mix(seed + SplitMix64.Step * (ulong)round))];

        public int Count => keys.Length;

        public ulong Mix(int round, ulong half) => SplitMix64.Mix(half ^ keys[round]);
    }
}
