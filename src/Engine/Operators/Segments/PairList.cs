using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Segments;

/// <summary>
/// Edges as pairs, for what depends on a distance alone and so is the same both ways: the pairs whose two directions are known come first,
/// then the edges without a known reverse. The vector of a pair is that of its first edge. The tensors live until disposal.
/// </summary>
public sealed class PairList : IDisposable
{
    // Values of this many pairs stay in the caches while several operations pass over them.
    private const int ChunkPairs = 512;

    private IReadOnlyList<PairChunk>? chunks;

    /// <param name="receivers">(edges)</param>
    /// <param name="senders">(edges)</param>
    /// <param name="reverseEdges">(edges) or empty</param>
    /// <param name="atoms">Atoms of the batch.</param>
    /// <param name="device">null: the CPU.</param>
    internal PairList(ReadOnlySpan<long> receivers, ReadOnlySpan<long> senders, ReadOnlySpan<long> reverseEdges, int atoms, Device? device)
    {
        List<long> twoWay = [], oneWay = [];
        for (int e = 0; e < senders.Length; e++)
        {
            long reverse = reverseEdges.Length > 0 ? reverseEdges[e] : e;
            bool known = reverse != e && reverseEdges[(int)reverse] == e
                && senders[(int)reverse] == receivers[e] && receivers[(int)reverse] == senders[e];
            if (!known) oneWay.Add(e);
            else if (e < reverse) twoWay.Add(e);
        }
        Atoms = atoms;
        TwoWay = twoWay.Count;
        Count = twoWay.Count + oneWay.Count;
        long[] edges = [.. twoWay, .. oneWay], from = new long[Count], to = new long[Count];
        for (int p = 0; p < Count; p++) (from[p], to[p]) = (senders[(int)edges[p]], receivers[(int)edges[p]]);
        Edges = Keep(edges);
        Senders = Keep([.. from, .. to.AsSpan(0, TwoWay)]);
        Receivers = Keep([.. to, .. from.AsSpan(0, TwoWay)]);

        Tensor Keep(long[] values) => tensor(values, device: device).DetachFromDisposeScope();
    }

    /// <summary>Each edge of a list as a pair of its own, in their order: nothing leaves the device.</summary>
    internal PairList(EdgeList edges)
    {
        Atoms = edges.Atoms;
        Count = edges.Count;
        Edges = arange(Count, dtype: ScalarType.Int64, device: edges.Senders.device).DetachFromDisposeScope();
        Senders = edges.Senders.alias().DetachFromDisposeScope();
        Receivers = edges.Receivers.alias().DetachFromDisposeScope();
    }

    public int Atoms { get; }

    /// <summary>Number of pairs.</summary>
    public int Count { get; }

    /// <summary>How many of them, the first ones, stand for both directions.</summary>
    public int TwoWay { get; }

    /// <summary>(pairs) int64: the first edge of each</summary>
    public Tensor Edges { get; }

    /// <summary>(edges) int64: of the pairs' first edges, then of the reverse edges of the first <see cref="TwoWay"/>.</summary>
    public Tensor Senders { get; }

    /// <summary>(edges) int64, in the order of <see cref="Senders"/></summary>
    public Tensor Receivers { get; }

    /// <summary>Made when first asked for.</summary>
    internal IReadOnlyList<PairChunk> Chunks => chunks ??= [.. Cut(0, TwoWay, true), .. Cut(TwoWay, Count, false)];

    /// <summary>Values of pairs for all directed edges, in the order of <see cref="Senders"/>.</summary>
    /// <param name="values">(pairs, ...)</param>
    /// <param name="odd">Whether they change sign with the direction.</param>
    /// <returns>(edges, ...)</returns>
    public Tensor OfEdges(Tensor values, bool odd = false)
    {
        if (TwoWay == 0) return values.alias();
        using Tensor first = values.narrow(0, 0, TwoWay);
        using Tensor reverse = odd ? first.neg() : first.alias();
        return cat([values, reverse], 0);
    }

    public void Dispose()
    {
        foreach (PairChunk chunk in chunks ?? []) chunk.Dispose();
        Edges.Dispose();
        Senders.Dispose();
        Receivers.Dispose();
    }

    private IEnumerable<PairChunk> Cut(int from, int to, bool bothWays)
    {
        for (int start = from; start < to; start += ChunkPairs)
        {
            int count = Math.Min(ChunkPairs, to - start);
            var forward = new PairWay(Part(Senders, start), Part(Receivers, start), Reversed: false);
            var backward = new PairWay(forward.Receivers, forward.Senders, Reversed: true);
            yield return new PairChunk(start, count, bothWays ? [forward, backward] : [forward]);

            Tensor Part(Tensor indices, int at) => indices.narrow(0, at, count).DetachFromDisposeScope();
        }
    }
}

/// <summary>One direction of the pairs of a chunk.</summary>
/// <param name="Senders">(chunk) int64</param>
/// <param name="Receivers">(chunk) int64</param>
/// <param name="Reversed">Whether a pair's vector is to be negated.</param>
internal sealed record PairWay(Tensor Senders, Tensor Receivers, bool Reversed);

/// <summary>Consecutive pairs of a list, and the one or two directions they stand for.</summary>
internal sealed record PairChunk(long Start, long Count, PairWay[] Ways) : IDisposable
{
    /// <param name="values">(pairs, ...)</param>
    /// <returns>(chunk, ...), a view</returns>
    public Tensor Of(Tensor values) => values.narrow(0, Start, Count);

    public void Dispose()
    {
        Ways[0].Senders.Dispose();
        Ways[0].Receivers.Dispose();
    }
}
