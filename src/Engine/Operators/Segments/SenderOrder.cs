using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Segments;

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
