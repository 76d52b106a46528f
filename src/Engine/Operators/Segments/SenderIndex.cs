using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// The edges by sender: atom j sends the edges <c>Edges[Starts[j]] .. Edges[Starts[j + 1] - 1]</c>, so that sums over what an atom sends
/// have one owner and one order.
/// </summary>
/// <param name="Starts">(atoms + 1) int64</param>
/// <param name="Edges">(edges) int64</param>
public sealed record SenderIndex(Tensor Starts, Tensor Edges)
{
    /// <summary>Counts and places each edge, in ascending order for each sender.</summary>
    internal static (long[] Starts, long[] Edges) Sort(ReadOnlySpan<long> senders, int atoms)
    {
        var starts = new long[atoms + 1];
        var edges = new long[senders.Length];
        foreach (long sender in senders) starts[sender + 1]++;
        for (int j = 0; j < atoms; j++) starts[j + 1] += starts[j];
        long[] next = [.. starts];
        for (int e = 0; e < edges.Length; e++) edges[next[senders[e]]++] = e;
        return (starts, edges);
    }
}
