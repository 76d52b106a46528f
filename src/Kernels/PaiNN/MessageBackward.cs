using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// Gradients of PaiNN's message by what the senders hold, from h = gradient of dq and g = gradient of dmu: with M = sum of w_c g_i over the
/// edges that j sends, by x_j: [sum w_a h_i | sum w_b (u . g_i) | mu_j . M], by mu_j: x_c M. A thread owns a few features of one sender.
/// </summary>
internal static class MessageBySenders
{
    /// <param name="senderStarts">(A + 1): atom j sends the edges of places senderStarts[j] .. senderStarts[j + 1] - 1</param>
    /// <param name="sentEdges">(E): the edge of each place</param>
    /// <param name="receivers">(E)</param>
    /// <param name="context">(A, 3, F) x</param>
    /// <param name="vectors">(A, 3, F) mu, or empty: zero</param>
    /// <param name="directions">(E, 3) u</param>
    /// <param name="radial">(E, K + 1) R</param>
    /// <param name="filter">(K + 1, 3, F) G^T</param>
    /// <param name="scalarGradient">(A, F) h</param>
    /// <param name="vectorGradient">(A, 3, F) g</param>
    /// <param name="byContext">(A, 3, F), written</param>
    /// <param name="byVectors">(A, 3, F), written; empty where mu is</param>
    public static void Run<T, TPack>(
        ArrayView<long> senderStarts, ArrayView<long> sentEdges, ArrayView<long> receivers, ArrayView<TPack> context,
        ArrayView<TPack> vectors,
        ArrayView<T> directions, ArrayView<T> radial, ArrayView<TPack> filter, ArrayView<TPack> scalarGradient,
        ArrayView<TPack> vectorGradient,
        [Written] ArrayView<TPack> byContext, [Written] ArrayView<TPack> byVectors)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int packs = scalarGradient.IntLength / (senderStarts.IntLength - 1);
        for (int item = Grid.GlobalIndex.X; item < scalarGradient.IntLength; item += Grid.DimX * Group.DimX)
        {
            int j = item / packs, f = item - j * packs, end = (int)senderStarts[j + 1];
            Triple<TPack> byX = default, moment = default;
            for (int s = (int)senderStarts[j]; s < end; s += 4)
            {
                int e0 = (int)sentEdges[s], e1 = s + 1 < end ? (int)sentEdges[s + 1] : e0;
                int e2 = s + 2 < end ? (int)sentEdges[s + 2] : e0, e3 = s + 3 < end ? (int)sentEdges[s + 3] : e0;
                Filters.Of(filter, packs, f, radial, e0, e1, radial, e2, e3,
                    out Triple<TPack> w0, out Triple<TPack> w1, out Triple<TPack> w2, out Triple<TPack> w3);
                Send(e0, w0, receivers, directions, scalarGradient, vectorGradient, packs, f, ref byX, ref moment);
                if (s + 1 < end) Send(e1, w1, receivers, directions, scalarGradient, vectorGradient, packs, f, ref byX, ref moment);
                if (s + 2 < end) Send(e2, w2, receivers, directions, scalarGradient, vectorGradient, packs, f, ref byX, ref moment);
                if (s + 3 < end) Send(e3, w3, receivers, directions, scalarGradient, vectorGradient, packs, f, ref byX, ref moment);
            }
            if (vectors.IntLength > 0)
            {
                byX.C = Triples.Dot<T, TPack>(Triples.Load(vectors, j, packs, f), moment);
                Triples.Store(byVectors, j, packs, f, Triples.Add<T, TPack>(default, moment, context[(3 * j + 2) * packs + f]));
            }
            Triples.Store(byContext, j, packs, f, byX);
        }
    }

    private static void Send<T, TPack>(
        int edge, Triple<TPack> w, ArrayView<long> receivers, ArrayView<T> directions, ArrayView<TPack> scalarGradient,
        ArrayView<TPack> vectorGradient, int packs, int f, ref Triple<TPack> byX, ref Triple<TPack> moment)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int i = (int)receivers[edge];
        Triple<TPack> g = Triples.Load(vectorGradient, i, packs, f);
        byX.A += scalarGradient[i * packs + f] * w.A;
        byX.B += Triples.Along(g, Triples.Direction(directions, edge)) * w.B;
        moment = Triples.Add<T, TPack>(moment, g, w.C);
    }
}

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
        [Written] ArrayView<TPack> byFilters, ArrayView<T> byDirections)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int edges = byFilters.IntLength / (3 * packs);
        int lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = 4 * ((Grid.DimX * Group.DimX) >> TLanes.Shift);
        // As many rounds for every thread: lanes without an edge still take part in the sums.
        for (int start = 0; start < edges; start += perRound)
        {
            int n = start + 4 * (Grid.GlobalIndex.X >> TLanes.Shift), last = edges - 1;
            // Beyond the end the last edge is done again, and not written: each number has one owner.
            int n0 = n < edges ? n : last, n1 = n + 1 < edges ? n + 1 : last;
            int n2 = n + 2 < edges ? n + 2 : last, n3 = n + 3 < edges ? n + 3 : last;
            Triple<T> u0 = default, u1 = default, u2 = default, u3 = default;
            for (int f = lane; f < packs; f += TLanes.Count)
            {
                (TPack w0, TPack w1, TPack w2, TPack w3) =
                    Filters.Along(filter, packs, f, radial, from + n0, from + n1, radial, from + n2, from + n3);
                Edge(n0, n < edges, w0, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u0);
                Edge(n1, n + 1 < edges, w1, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u1);
                Edge(n2, n + 2 < edges, w2, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u2);
                Edge(n3, n + 3 < edges, w3, senders, receivers, context, vectors, directions, scalarGradient, vectorGradient, packs, f, from, byFilters,
                    ref u3);
            }
            u0 = Triples.LaneSum<T, TLanes>(u0);
            u1 = Triples.LaneSum<T, TLanes>(u1);
            u2 = Triples.LaneSum<T, TLanes>(u2);
            u3 = Triples.LaneSum<T, TLanes>(u3);
            if (lane == 0)
            {
                if (n < edges) Triples.Store(byDirections, from + n0, 1, 0, u0);
                if (n + 1 < edges) Triples.Store(byDirections, from + n1, 1, 0, u1);
                if (n + 2 < edges) Triples.Store(byDirections, from + n2, 1, 0, u2);
                if (n + 3 < edges) Triples.Store(byDirections, from + n3, 1, 0, u3);
            }
        }
    }

    private static void Edge<T, TPack>(
        int n, bool owned, TPack w, ArrayView<long> senders, ArrayView<long> receivers, ArrayView<TPack> context, ArrayView<TPack> vectors,
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
        if (owned) Triples.Store(byFilters, n, packs, f, by);
        byDirection = Triples.AddSums(byDirection, g, x.B * w);
    }
}
