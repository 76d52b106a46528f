using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// Gradients of PaiNN's message by what the edges hold, for a range of edges: by w: x_j P with P = [h_i | u . g_i | mu_j . g_i], which the
/// caller turns into those by R and G with two matrix products; by u: sum over features of x_b w_b g_i. Lanes share four edges.
/// </summary>
internal static class MessageByEdges
{
    /// <param name="senders">(E)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="context">(A, 3, F) x</param>
    /// <param name="vectors">(A, 3, F) mu, or empty: zero</param>
    /// <param name="directions">(E, 3) u</param>
    /// <param name="radial">(E, K + 1) R</param>
    /// <param name="filter">(K + 1, 3, F) G^T</param>
    /// <param name="scalarGradient">(A, F) h</param>
    /// <param name="vectorGradient">(A, 3, F) g</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="from">First edge of the range.</param>
    /// <param name="byFilters">(n, 3, F), written: gradient by w of the n edges of the range</param>
    /// <param name="byDirections">(E, 3), written within the range</param>
    public static void Run<T, TPack, TLanes>(
        ArrayView<long> senders, ArrayView<long> receivers, ArrayView<TPack> context, ArrayView<TPack> vectors, ArrayView<T> directions,
        ArrayView<T> radial, ArrayView<TPack> filter, ArrayView<TPack> scalarGradient, ArrayView<TPack> vectorGradient, int packs, int from,
        ArrayView<TPack> byFilters, ArrayView<T> byDirections)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int edges = byFilters.IntLength / (3 * packs);
        int lane = Grid.GlobalIndex.X % TLanes.Count, perRound = 4 * (Grid.DimX * Group.DimX / TLanes.Count);
        // As many rounds for every thread: lanes without an edge still take part in the sums.
        for (int start = 0; start < edges; start += perRound)
        {
            int n = start + 4 * (Grid.GlobalIndex.X / TLanes.Count), last = edges - 1;
            // Beyond the end the last edge is done again, and the same written there.
            int n0 = n < edges ? n : last, n1 = n + 1 < edges ? n + 1 : last;
            int n2 = n + 2 < edges ? n + 2 : last, n3 = n + 3 < edges ? n + 3 : last;
            Triple<T> u0 = default, u1 = default, u2 = default, u3 = default;
            for (int f = lane; f < packs; f += TLanes.Count)
            {
                (TPack w0, TPack w1, TPack w2, TPack w3) =
                    Filters.Along(filter, packs, f, radial, from + n0, from + n1, radial, from + n2, from + n3);
                Edge(n0, w0, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u0);
                Edge(n1, w1, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u1);
                Edge(n2, w2, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u2);
                Edge(n3, w3, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u3);
            }
            u0 = Triples.LaneSum<T, TLanes>(u0);
            u1 = Triples.LaneSum<T, TLanes>(u1);
            u2 = Triples.LaneSum<T, TLanes>(u2);
            u3 = Triples.LaneSum<T, TLanes>(u3);
            if (lane == 0)
            {
                Triples.Store(byDirections, from + n0, 1, 0, u0);
                Triples.Store(byDirections, from + n1, 1, 0, u1);
                Triples.Store(byDirections, from + n2, 1, 0, u2);
                Triples.Store(byDirections, from + n3, 1, 0, u3);
            }
        }
    }

    private static void Edge<T, TPack>(
        int n, TPack w, ArrayView<long> senders, ArrayView<long> receivers, ArrayView<TPack> context, ArrayView<TPack> vectors,
        ArrayView<T> directions, ArrayView<TPack> scalarGradient, ArrayView<TPack> vectorGradient, int packs, int f, int from,
        ArrayView<TPack> byFilters, ref Triple<T> byDirection)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int i = (int)receivers[from + n], j = (int)senders[from + n];
        Triple<TPack> x = Triples.Load(context, j, packs, f), g = Triples.Load(vectorGradient, i, packs, f), by = default;
        by.A = x.A * scalarGradient[i * packs + f];
        by.B = x.B * Triples.Along(g, Triples.Direction(directions, from + n));
        if (vectors.IntLength > 0) by.C = x.C * Triples.Dot<T, TPack>(Triples.Load(vectors, j, packs, f), g);
        Triples.Store(byFilters, n, packs, f, by);
        byDirection = Triples.AddSums(byDirection, g, x.B * w);
    }
}
