using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Segments;

/// <summary>
/// The directed edges of a batch of atoms, sorted by receiver: atom i receives edges <c>RowStarts[i] .. RowStarts[i + 1] - 1</c>. Every
/// pair appears in both directions. The tensors live until disposal.
/// </summary>
public sealed class EdgeList : IDisposable
{
    private readonly Device? device;
    private readonly bool isBuiltOnDevice;
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
    internal EdgeList(Tensor rowStarts, Tensor receivers, Tensor senders, Tensor reverseEdges)
    {
        isBuiltOnDevice = true;
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

    internal SenderOrder BySender => bySender ??= isBuiltOnDevice ? new SenderOrder(this) : new SenderOrder(Numbers(Senders), Atoms, device);

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

    private static long[] Numbers(Tensor indices) => [.. indices.cpu().data<long>()];

    private static Tensor Indices(long[] values, Device? device) => tensor(values, device: device).DetachFromDisposeScope();

    private static long[] Wide(ReadOnlySpan<int> values)
    {
        var wide = new long[values.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = values[i];
        return wide;
    }
}
