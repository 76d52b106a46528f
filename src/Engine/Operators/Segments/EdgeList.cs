using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Segments;

/// <summary>
/// The directed edges of a batch of atoms, sorted by receiver: atom i receives edges <c>RowStarts[i] .. RowStarts[i + 1] - 1</c>. Every
/// pair appears in both directions. The tensors live until disposal.
/// </summary>
public sealed class EdgeList : IDisposable
{
    private readonly Device? device;
    private readonly bool sortOnDevice;
    private PairList? pairs;
    private PairList? oneWay;
    private SenderOrder? bySender;

    /// <param name="rowStarts">(atoms + 1) ascending offsets from 0; the last is the number of edges.</param>
    /// <param name="senders">(edges) atom at the far end of each edge.</param>
    /// <param name="reverseEdges">(edges) index of the edge that runs the other way, where it is known.</param>
    /// <param name="device">null: the CPU.</param>
    /// <exception cref="ArgumentException">The offsets or indices do not describe edges of these atoms.</exception>
    public EdgeList(ReadOnlySpan<int> rowStarts, ReadOnlySpan<int> senders, ReadOnlySpan<int> reverseEdges = default, Device? device = null)
    {
        if (rowStarts.Length == 0 || rowStarts[0] != 0 || rowStarts[^1] != senders.Length)
            throw new ArgumentException($"row starts must run from 0 to the {senders.Length} edges");
        if (reverseEdges.Length != 0 && reverseEdges.Length != senders.Length) throw new ArgumentException("one reverse edge per edge");
        this.device = device;
        Atoms = rowStarts.Length - 1;
        Count = senders.Length;
        var receivers = new long[Count];
        for (int i = 0; i < Atoms; i++)
        {
            if (rowStarts[i + 1] < rowStarts[i]) throw new ArgumentException("row starts must ascend");
            receivers.AsSpan(rowStarts[i], rowStarts[i + 1] - rowStarts[i]).Fill(i);
        }
        foreach (int sender in senders)
            if ((uint)sender >= (uint)Atoms) throw new ArgumentException($"sender {sender} of {Atoms} atoms");
        foreach (int reverse in reverseEdges)
            if ((uint)reverse >= (uint)Count) throw new ArgumentException($"reverse edge {reverse} of {Count} edges");
        Senders = Indices(Wide(senders), device);
        Receivers = Indices(receivers, device);
        RowStarts = Indices(Wide(rowStarts), device);
        if (reverseEdges.Length > 0) ReverseEdges = Indices(Wide(reverseEdges), device);
    }

    /// <summary>Takes over tensors that are right already, on one device: every edge has its reverse.</summary>
    /// <param name="rowStarts">(atoms + 1) int64</param>
    /// <param name="receivers">(edges) int64</param>
    /// <param name="senders">(edges) int64</param>
    /// <param name="reverseEdges">(edges) int64</param>
    /// <param name="sortOnDevice">Whether an order by sender is sorted there, or counted out here.</param>
    internal EdgeList(Tensor rowStarts, Tensor receivers, Tensor senders, Tensor reverseEdges, bool sortOnDevice = true)
    {
        this.sortOnDevice = sortOnDevice;
        device = senders.device;
        Atoms = (int)rowStarts.numel() - 1;
        Count = (int)senders.numel();
        RowStarts = rowStarts.DetachFromDisposeScope();
        Receivers = receivers.DetachFromDisposeScope();
        Senders = senders.DetachFromDisposeScope();
        ReverseEdges = reverseEdges.DetachFromDisposeScope();
    }

    public int Atoms { get; }

    /// <summary>Number of edges.</summary>
    public int Count { get; }

    /// <summary>(edges) int64</summary>
    public Tensor Senders { get; }

    /// <summary>(edges) int64, ascending</summary>
    public Tensor Receivers { get; }

    /// <summary>(atoms + 1) int64</summary>
    public Tensor RowStarts { get; }

    /// <summary>(edges) int64, or null where they were not given.</summary>
    public Tensor? ReverseEdges { get; }

    /// <summary>The edges as pairs; made when first asked for.</summary>
    public PairList Pairs =>
        pairs ??= new PairList(Numbers(Receivers), Numbers(Senders), ReverseEdges is null ? [] : Numbers(ReverseEdges), Atoms, device);

    /// <summary>Each edge as a pair of its own, in their order; made when first asked for.</summary>
    public PairList OneWay => oneWay ??= ReverseEdges is null ? Pairs : new PairList(this);

    /// <summary>(atoms + 1) int64: sender j sends the edges <c>SenderEdges[SenderRowStarts[j]] ..</c>; made when first asked for.</summary>
    public Tensor SenderRowStarts => BySender.RowStarts;

    /// <summary>(edges) int64: the edges sorted by sender, each sender's ascending; made when first asked for.</summary>
    public Tensor SenderEdges => BySender.Edges;

    internal SenderOrder BySender => bySender ??= sortOnDevice ? new SenderOrder(this) : new SenderOrder(Numbers(Senders), Atoms, device);

    public void Dispose()
    {
        bySender?.Dispose();
        if (!ReferenceEquals(oneWay, pairs)) oneWay?.Dispose();
        pairs?.Dispose();
        Senders.Dispose();
        Receivers.Dispose();
        RowStarts.Dispose();
        ReverseEdges?.Dispose();
    }

    private static long[] Numbers(Tensor indices)
    {
        using DisposeScope scope = NewDisposeScope();
        using var memory = new TensorMemory(indices.cpu());
        return MemoryMarshal.Cast<byte, long>(memory.Bytes).ToArray();
    }

    private static Tensor Indices(long[] values, Device? device) => tensor(values, device: device).DetachFromDisposeScope();

    private static long[] Wide(ReadOnlySpan<int> values)
    {
        var wide = new long[values.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = values[i];
        return wide;
    }
}

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

/// <summary>The edges of a list sorted by sender, each sender's in the order of the list. The tensors live until disposal.</summary>
internal sealed class SenderOrder : IDisposable
{
    private int[]? starts;

    /// <param name="senders">(edges)</param>
    /// <param name="atoms">Atoms of the batch.</param>
    /// <param name="device">null: the CPU.</param>
    public SenderOrder(ReadOnlySpan<long> senders, int atoms, Device? device)
    {
        int[] sums = new int[atoms + 1];
        foreach (long sender in senders) sums[sender + 1]++;
        for (int j = 0; j < atoms; j++) sums[j + 1] += sums[j];
        starts = sums;
        int[] next = sums[..atoms];
        var edges = new long[senders.Length];
        for (int e = 0; e < edges.Length; e++) edges[next[senders[e]]++] = e;
        RowStarts = tensor([.. sums.Select(s => (long)s)], device: device).DetachFromDisposeScope();
        Edges = tensor(edges, device: device).DetachFromDisposeScope();
    }

    /// <summary>Sorts on the device of the edges, each of which has its reverse: so an atom sends as many as it receives.</summary>
    public SenderOrder(EdgeList edges)
    {
        using DisposeScope scope = NewDisposeScope();
        RowStarts = edges.RowStarts.alias().DetachFromDisposeScope();
        Edges = edges.Senders.to(ScalarType.Int32).sort(0, descending: false, stable: true).Indices.DetachFromDisposeScope();
    }

    /// <summary>(atoms + 1) int64</summary>
    public Tensor RowStarts { get; }

    /// <summary>(edges) int64</summary>
    public Tensor Edges { get; }

    /// <summary>Cuts the senders where their edges would be more than as many; a sender with more is alone.</summary>
    public IEnumerable<(int FirstAtom, int LastAtom, int Edges)> Cut(int mostEdges)
    {
        int[] sums = starts ??= [.. RowStarts.cpu().data<long>().Select(start => (int)start)];
        for (int first = 0, last; first < sums.Length - 1; first = last)
        {
            for (last = first + 1; last < sums.Length - 1 && sums[last + 1] - sums[first] <= mostEdges;) last++;
            yield return (first, last, sums[last] - sums[first]);
        }
    }

    public void Dispose()
    {
        RowStarts.Dispose();
        Edges.Dispose();
    }
}
