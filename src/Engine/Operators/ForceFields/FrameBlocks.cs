using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.ForceFields;

/// <summary>
/// A batch cut into blocks of whole frames, by the data alone. No pair joins two frames, so that a block goes through a whole network by itself, and
/// what passes between two products stays in a core's cache.
/// </summary>
internal sealed class FrameBlocks
{
    /// <summary>A larger frame is left to operations that share its atoms among threads.</summary>
    public const int LargestFrame = 512;

    private const int BlockAtoms = 64;

    // Gradients by weights are summed per share of the blocks, then over shares.
    private const int MostShares = 16;
    private const long MostShareBytes = 24 << 20;

    private FrameBlocks(int[] receivers, int[] senders, int atoms, FrameBlock[] blocks)
    {
        (Receivers, Senders, Atoms, Blocks) = (receivers, senders, atoms, blocks);
    }

    /// <summary>(pairs) atom that the pair's vector starts from.</summary>
    public int[] Receivers { get; }

    /// <summary>(pairs) atom that it points to.</summary>
    public int[] Senders { get; }

    public int Atoms { get; }

    public int Pairs => Receivers.Length;

    public FrameBlock[] Blocks { get; }

    /// <returns>null: a frame is too large.</returns>
    public static FrameBlocks? Of(IReadOnlyList<int> atomsPerFrame, PairList pairs)
    {
        foreach (int atoms in atomsPerFrame)
            if (atoms > LargestFrame) return null;
        int[] receivers = Indices(pairs.Receivers, pairs.Count), senders = Indices(pairs.Senders, pairs.Count);
        var blocks = new List<FrameBlock>();
        int twoWay = 0, oneWay = pairs.TwoWay;
        for (int frame = 0, first = 0; frame < atomsPerFrame.Count;)
        {
            int last = first;
            do last += atomsPerFrame[frame++];
            while (frame < atomsPerFrame.Count && last - first + atomsPerFrame[frame] <= BlockAtoms);
            var block = new FrameBlock(first, last - first, Range(ref twoWay, pairs.TwoWay, true), Range(ref oneWay, pairs.Count, false));
            if (last > first) blocks.Add(block);
            first = last;

            // Pairs come in the order of their receivers.
            PairRange Range(ref int at, int limit, bool bothWays)
            {
                int from = at;
                while (at < limit && receivers[at] < last) at++;
                return new PairRange(from, at - from, bothWays);
            }
        }
        return twoWay == pairs.TwoWay && oneWay == pairs.Count ? new FrameBlocks(receivers, senders, pairs.Atoms, [.. blocks])
            : throw new InvalidOperationException("pairs beyond the frames, or not in the order of their receivers");
    }

    /// <summary>How many sums there are of gradients that take so many bytes.</summary>
    public int Shares(long bytes) => (int)Math.Clamp(MostShareBytes / Math.Max(bytes, 1), 1, Math.Clamp(Blocks.Length, 1, MostShares));

    private static int[] Indices(Tensor indices, int count)
    {
        using var memory = new TensorMemory(indices);
        var values = new int[count];
        ReadOnlySpan<long> from = MemoryMarshal.Cast<byte, long>(memory.Bytes);
        for (int i = 0; i < count; i++) values[i] = (int)from[i];
        return values;
    }
}

/// <summary>Frames that go through a network together.</summary>
/// <param name="FirstAtom">Of the batch.</param>
/// <param name="Atoms">How many.</param>
/// <param name="TwoWay">Its pairs that stand for both directions.</param>
/// <param name="OneWay">Its other pairs.</param>
internal readonly record struct FrameBlock(int FirstAtom, int Atoms, PairRange TwoWay, PairRange OneWay)
{
    public int Pairs => TwoWay.Count + OneWay.Count;

    /// <summary>Its pairs in pieces of so many.</summary>
    public List<PairRange> Chunks(int most)
    {
        var chunks = new List<PairRange>();
        int place = 0;
        foreach (PairRange range in (ReadOnlySpan<PairRange>)[TwoWay, OneWay])
        {
            for (int at = 0; at < range.Count; at += most) chunks.Add(new PairRange(range.First + at, Math.Min(most, range.Count - at), range.BothWays, place + at));
            place += range.Count;
        }
        return chunks;
    }
}

/// <summary>Consecutive pairs of a batch.</summary>
/// <param name="First">Of all pairs.</param>
/// <param name="Count">How many.</param>
/// <param name="BothWays">Whether each stands for both directions.</param>
/// <param name="Place">Of the first among the pairs of its block.</param>
internal readonly record struct PairRange(int First, int Count, bool BothWays, int Place = 0);

/// <summary>The ends of consecutive pairs.</summary>
internal readonly ref struct PairSpan(int[] receivers, int[] senders, PairRange range)
{
    /// <summary>Of the batch.</summary>
    public int First => range.First;

    /// <summary>Of the block.</summary>
    public int Place => range.Place;

    public int Count => range.Count;

    public bool BothWays => range.BothWays;

    /// <summary>Receiver and sender, by their places in the batch.</summary>
    public (long Receiver, long Sender) Ends(int pair) => (receivers[range.First + pair], senders[range.First + pair]);
}
