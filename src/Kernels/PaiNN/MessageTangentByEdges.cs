using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// Double backward pass of PaiNN's message by what the edges hold, for a range of edges: with P = [h_i | u . g_i | mu_j . g_i] and its
/// tangent P' = [0 | u' . g_i | mu'_j . g_i], by w: x'_j P + x_j P', by w': x_j P, which the caller turns into those by R and G; by u: sum
/// over features of (x_b w'_b + x'_b w_b) g_i. Lanes share two edges.
/// </summary>
internal static class MessageTangentByEdges
{
    /// <param name="senders">(E)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="context">(A, 3, F) x</param>
    /// <param name="vectors">(A, 3, F) mu, or empty: zero</param>
    /// <param name="directions">(E, 3) u</param>
    /// <param name="radial">(E, K + 1) R</param>
    /// <param name="filter">(K + 1, 3, F) G^T</param>
    /// <param name="contextTangent">(A, 3, F) x'</param>
    /// <param name="vectorsTangent">(A, 3, F) mu'; empty where mu is</param>
    /// <param name="directionsTangent">(E, 3) u'</param>
    /// <param name="radialTangent">(E, K + 1) R', with w' = R' G^T</param>
    /// <param name="scalarGradient">(A, F) h</param>
    /// <param name="vectorGradient">(A, 3, F) g</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="from">First edge of the range.</param>
    /// <param name="byFilters">(n, 3, F), written: gradient by w of the n edges of the range</param>
    /// <param name="byFiltersTangent">(n, 3, F), written: by w'</param>
    /// <param name="byDirections">(E, 3), written within the range</param>
    public static void Run<T, TPack, TLanes>(
        ArrayView<long> senders, ArrayView<long> receivers, ArrayView<TPack> context, ArrayView<TPack> vectors, ArrayView<T> directions,
        ArrayView<T> radial, ArrayView<TPack> filter, ArrayView<TPack> contextTangent, ArrayView<TPack> vectorsTangent,
        ArrayView<T> directionsTangent, ArrayView<T> radialTangent, ArrayView<TPack> scalarGradient, ArrayView<TPack> vectorGradient,
        int packs, int from, ArrayView<TPack> byFilters, ArrayView<TPack> byFiltersTangent, ArrayView<T> byDirections)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int edges = byFilters.IntLength / (3 * packs);
        int lane = Grid.GlobalIndex.X % TLanes.Count, perRound = 2 * (Grid.DimX * Group.DimX / TLanes.Count);
        for (int start = 0; start < edges; start += perRound)
        {
            int n = start + 2 * (Grid.GlobalIndex.X / TLanes.Count), last = edges - 1;
            int n0 = n < edges ? n : last, n1 = n + 1 < edges ? n + 1 : last;
            Triple<T> u0 = default, u1 = default;
            for (int f = lane; f < packs; f += TLanes.Count)
            {
                (TPack w0, TPack w1, TPack v0, TPack v1) =
                    Filters.Along(filter, packs, f, radial, from + n0, from + n1, radialTangent, from + n0, from + n1);
                Edge(n0, w0, v0, senders, receivers, context, vectors, directions, contextTangent, vectorsTangent, directionsTangent,
                    scalarGradient, vectorGradient, packs, f, from, byFilters, byFiltersTangent, ref u0);
                Edge(n1, w1, v1, senders, receivers, context, vectors, directions, contextTangent, vectorsTangent, directionsTangent,
                    scalarGradient, vectorGradient, packs, f, from, byFilters, byFiltersTangent, ref u1);
            }
            u0 = Triples.LaneSum<T, TLanes>(u0);
            u1 = Triples.LaneSum<T, TLanes>(u1);
            if (lane == 0)
            {
                Triples.Store(byDirections, from + n0, 1, 0, u0);
                Triples.Store(byDirections, from + n1, 1, 0, u1);
            }
        }
    }

    private static void Edge<T, TPack>(
        int n, TPack w, TPack wTangent, ArrayView<long> senders, ArrayView<long> receivers, ArrayView<TPack> context,
        ArrayView<TPack> vectors,
        ArrayView<T> directions, ArrayView<TPack> contextTangent, ArrayView<TPack> vectorsTangent, ArrayView<T> directionsTangent,
        ArrayView<TPack> scalarGradient, ArrayView<TPack> vectorGradient, int packs, int f, int from,
        ArrayView<TPack> byFilters, ArrayView<TPack> byFiltersTangent, ref Triple<T> byDirection)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int i = (int)receivers[from + n], j = (int)senders[from + n];
        Triple<TPack> x = Triples.Load(context, j, packs, f), xTangent = Triples.Load(contextTangent, j, packs, f);
        Triple<TPack> g = Triples.Load(vectorGradient, i, packs, f), by = default, byTangent = default;
        TPack h = scalarGradient[i * packs + f], along = Triples.Along(g, Triples.Direction(directions, from + n));
        by.A = xTangent.A * h;
        byTangent.A = x.A * h;
        by.B = xTangent.B * along + x.B * Triples.Along(g, Triples.Direction(directionsTangent, from + n));
        byTangent.B = x.B * along;
        if (vectors.IntLength > 0)
        {
            TPack mixed = Triples.Dot<T, TPack>(Triples.Load(vectors, j, packs, f), g);
            by.C = xTangent.C * mixed + x.C * Triples.Dot<T, TPack>(Triples.Load(vectorsTangent, j, packs, f), g);
            byTangent.C = x.C * mixed;
        }
        Triples.Store(byFilters, n, packs, f, by);
        Triples.Store(byFiltersTangent, n, packs, f, byTangent);
        byDirection = Triples.AddSums(byDirection, g, x.B * wTangent + xTangent.B * w);
    }
}
