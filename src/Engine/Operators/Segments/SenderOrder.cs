using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The edges of a list sorted by sender, each sender's in the order of the list. The tensors live until disposal.</summary>
internal sealed class SenderOrder : IDisposable
{
    private readonly int[] starts;

    /// <param name="senders">(edges)</param>
    /// <param name="atoms">Atoms of the batch.</param>
    /// <param name="device">null: the CPU.</param>
    public SenderOrder(ReadOnlySpan<long> senders, int atoms, Device? device)
    {
        starts = new int[atoms + 1];
        foreach (long sender in senders) starts[sender + 1]++;
        for (int j = 0; j < atoms; j++) starts[j + 1] += starts[j];
        int[] next = starts[..atoms];
        var edges = new long[senders.Length];
        for (int e = 0; e < edges.Length; e++) edges[next[senders[e]]++] = e;
        RowStarts = tensor([.. starts.Select(s => (long)s)], device: device).DetachFromDisposeScope();
        Edges = tensor(edges, device: device).DetachFromDisposeScope();
    }

    /// <summary>(atoms + 1) int64</summary>
    public Tensor RowStarts { get; }

    /// <summary>(edges) int64</summary>
    public Tensor Edges { get; }

    /// <summary>Cuts the senders where their edges would be more than as many; a sender with more is alone.</summary>
    public IEnumerable<(int FirstAtom, int LastAtom, int Edges)> Cut(int mostEdges)
    {
        for (int first = 0, last; first < starts.Length - 1; first = last)
        {
            for (last = first + 1; last < starts.Length - 1 && starts[last + 1] - starts[first] <= mostEdges;) last++;
            yield return (first, last, starts[last] - starts[first]);
        }
    }

    public void Dispose()
    {
        RowStarts.Dispose();
        Edges.Dispose();
    }
}
