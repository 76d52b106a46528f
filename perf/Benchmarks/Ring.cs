using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>Edges of a ring of atoms, each of which hears those that come next.</summary>
internal static class Ring
{
    /// <param name="edges">About how many.</param>
    /// <param name="neighbors">Edges that an atom receives.</param>
    /// <param name="device">Where.</param>
    public static EdgeList Of(long edges, int neighbors, Device device)
    {
        int atoms = Atoms(edges, neighbors), count = atoms * neighbors;
        int[] rowStarts = new int[atoms + 1], senders = new int[count];
        for (int i = 0; i <= atoms; i++) rowStarts[i] = neighbors * i;
        for (int e = 0; e < count; e++) senders[e] = (e / neighbors + 1 + e % neighbors) % atoms;
        return new EdgeList(rowStarts, senders, device: device);
    }

    /// <summary>Edges there will be.</summary>
    public static long Edges(long wanted, int neighbors) => (long)Atoms(wanted, neighbors) * neighbors;

    private static int Atoms(long edges, int neighbors) => (int)Math.Max(1, edges / neighbors);
}
