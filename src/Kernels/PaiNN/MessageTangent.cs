using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// Half of the double backward pass of PaiNN's message: with y = x_j w and its tangent y' = x_j w' + x'_j w, the gradients by h_i: sum of
/// y'_a, and by g_i: sum of y'_b u + y_b u' + y'_c mu_j + y_c mu'_j, over the edges that i receives. It is the tangent of the forward pass.
/// </summary>
internal static class MessageTangentByReceivers
{
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="senders">(E)</param>
    /// <param name="context">(A, 3, F) x</param>
    /// <param name="vectors">(A, 3, F) mu, or empty: zero</param>
    /// <param name="directions">(E, 3) u</param>
    /// <param name="radial">(E, K + 1) R</param>
    /// <param name="filter">(K + 1, 3, F) G^T</param>
    /// <param name="contextTangent">(A, 3, F) x'</param>
    /// <param name="vectorsTangent">(A, 3, F) mu'; empty where mu is</param>
    /// <param name="directionsTangent">(E, 3) u'</param>
    /// <param name="radialTangent">(E, K + 1) R', with w' = R' G^T</param>
    /// <param name="byScalarGradient">(A, F), written</param>
    /// <param name="byVectorGradient">(A, 3, F), written</param>
    public static void Run<T, TPack>(
        ArrayView<long> rowStarts, ArrayView<long> senders, ArrayView<TPack> context, ArrayView<TPack> vectors, ArrayView<T> directions,
        ArrayView<T> radial, ArrayView<TPack> filter, ArrayView<TPack> contextTangent, ArrayView<TPack> vectorsTangent,
        ArrayView<T> directionsTangent, ArrayView<T> radialTangent, [Written] ArrayView<TPack> byScalarGradient, [Written] ArrayView<TPack> byVectorGradient)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int packs = byScalarGradient.IntLength / (rowStarts.IntLength - 1);
        for (int item = Grid.GlobalIndex.X; item < byScalarGradient.IntLength; item += Grid.DimX * Group.DimX)
        {
            int i = item / packs, f = item - i * packs, end = (int)rowStarts[i + 1];
            TPack scalar = default;
            Triple<TPack> vector = default;
            for (int e = (int)rowStarts[i]; e < end; e += 2)
            {
                int e1 = e + 1 < end ? e + 1 : e;
                Filters.Of(filter, packs, f, radial, e, e1, radialTangent, e, e1,
                    out Triple<TPack> w0, out Triple<TPack> w1, out Triple<TPack> t0, out Triple<TPack> t1);
                Receive(e, w0, t0, senders, context, vectors, directions, contextTangent, vectorsTangent, directionsTangent,
                    packs, f, ref scalar, ref vector);
                if (e + 1 < end)
                {
                    Receive(e1, w1, t1, senders, context, vectors, directions, contextTangent, vectorsTangent, directionsTangent,
                        packs, f, ref scalar, ref vector);
                }
            }
            byScalarGradient[item] = scalar;
            Triples.Store(byVectorGradient, i, packs, f, vector);
        }
    }

    private static void Receive<T, TPack>(
        int edge, Triple<TPack> w, Triple<TPack> wTangent, ArrayView<long> senders, ArrayView<TPack> context, ArrayView<TPack> vectors,
        ArrayView<T> directions, ArrayView<TPack> contextTangent, ArrayView<TPack> vectorsTangent, ArrayView<T> directionsTangent,
        int packs, int f, ref TPack scalar, ref Triple<TPack> vector)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int j = (int)senders[edge];
        Triple<TPack> x = Triples.Load(context, j, packs, f), xTangent = Triples.Load(contextTangent, j, packs, f);
        scalar += x.A * wTangent.A + xTangent.A * w.A;
        vector = Triples.AddAlong(vector, Triples.Direction(directions, edge), x.B * wTangent.B + xTangent.B * w.B);
        vector = Triples.AddAlong(vector, Triples.Direction(directionsTangent, edge), x.B * w.B);
        if (vectors.IntLength > 0)
        {
            vector = Triples.Add<T, TPack>(vector, Triples.Load(vectors, j, packs, f), x.C * wTangent.C + xTangent.C * w.C);
            vector = Triples.Add<T, TPack>(vector, Triples.Load(vectorsTangent, j, packs, f), x.C * w.C);
        }
    }
}

/// <summary>
/// Double backward pass of PaiNN's message by what the senders hold: with M = sum of w_c g_i and M' = sum of w'_c g_i over the edges that j
/// sends, by x_j: [sum w'_a h_i | sum w'_b (u . g_i) + w_b (u' . g_i) | mu_j . M' + mu'_j . M], by mu_j: x_c M' + x'_c M.
/// </summary>
internal static class MessageTangentBySenders
{
    /// <param name="senderStarts">(A + 1): atom j sends the edges of places senderStarts[j] .. senderStarts[j + 1] - 1</param>
    /// <param name="sentEdges">(E): the edge of each place</param>
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
    /// <param name="byContext">(A, 3, F), written</param>
    /// <param name="byVectors">(A, 3, F), written; empty where mu is</param>
    public static void Run<T, TPack>(
        ArrayView<long> senderStarts, ArrayView<long> sentEdges, ArrayView<long> receivers, ArrayView<TPack> context,
        ArrayView<TPack> vectors,
        ArrayView<T> directions, ArrayView<T> radial, ArrayView<TPack> filter, ArrayView<TPack> contextTangent,
        ArrayView<TPack> vectorsTangent,
        ArrayView<T> directionsTangent, ArrayView<T> radialTangent, ArrayView<TPack> scalarGradient, ArrayView<TPack> vectorGradient,
        [Written] ArrayView<TPack> byContext, [Written] ArrayView<TPack> byVectors)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int packs = scalarGradient.IntLength / (senderStarts.IntLength - 1);
        for (int item = Grid.GlobalIndex.X; item < scalarGradient.IntLength; item += Grid.DimX * Group.DimX)
        {
            int j = item / packs, f = item - j * packs, end = (int)senderStarts[j + 1];
            Triple<TPack> byX = default, moment = default, momentTangent = default;
            for (int s = (int)senderStarts[j]; s < end; s += 2)
            {
                int e0 = (int)sentEdges[s], e1 = s + 1 < end ? (int)sentEdges[s + 1] : e0;
                Filters.Of(filter, packs, f, radial, e0, e1, radialTangent, e0, e1,
                    out Triple<TPack> w0, out Triple<TPack> w1, out Triple<TPack> t0, out Triple<TPack> t1);
                Send(e0, w0, t0, receivers, directions, directionsTangent, scalarGradient, vectorGradient, packs, f,
                    ref byX, ref moment, ref momentTangent);
                if (s + 1 < end)
                {
                    Send(e1, w1, t1, receivers, directions, directionsTangent, scalarGradient, vectorGradient, packs, f,
                        ref byX, ref moment, ref momentTangent);
                }
            }
            if (vectors.IntLength > 0)
            {
                int c = (3 * j + 2) * packs + f;
                byX.C = Triples.Dot<T, TPack>(Triples.Load(vectors, j, packs, f), momentTangent)
                    + Triples.Dot<T, TPack>(Triples.Load(vectorsTangent, j, packs, f), moment);
                Triple<TPack> byMu = Triples.Add<T, TPack>(default, momentTangent, context[c]);
                Triples.Store(byVectors, j, packs, f, Triples.Add<T, TPack>(byMu, moment, contextTangent[c]));
            }
            Triples.Store(byContext, j, packs, f, byX);
        }
    }

    private static void Send<T, TPack>(
        int edge, Triple<TPack> w, Triple<TPack> wTangent, ArrayView<long> receivers, ArrayView<T> directions,
        ArrayView<T> directionsTangent,
        ArrayView<TPack> scalarGradient, ArrayView<TPack> vectorGradient, int packs, int f,
        ref Triple<TPack> byX, ref Triple<TPack> moment, ref Triple<TPack> momentTangent)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int i = (int)receivers[edge];
        Triple<TPack> g = Triples.Load(vectorGradient, i, packs, f);
        byX.A += scalarGradient[i * packs + f] * wTangent.A;
        byX.B += Triples.Along(g, Triples.Direction(directions, edge)) * wTangent.B
            + Triples.Along(g, Triples.Direction(directionsTangent, edge)) * w.B;
        moment = Triples.Add<T, TPack>(moment, g, w.C);
        momentTangent = Triples.Add<T, TPack>(momentTangent, g, wTangent.C);
    }
}

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
        int packs, int from, [Written] ArrayView<TPack> byFilters, [Written] ArrayView<TPack> byFiltersTangent, ArrayView<T> byDirections)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int edges = byFilters.IntLength / (3 * packs);
        int lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = 2 * ((Grid.DimX * Group.DimX) >> TLanes.Shift);
        for (int start = 0; start < edges; start += perRound)
        {
            int n = start + 2 * (Grid.GlobalIndex.X >> TLanes.Shift), last = edges - 1;
            // Beyond the end the last edge is done again, and not written: each number has one owner.
            int n0 = n < edges ? n : last, n1 = n + 1 < edges ? n + 1 : last;
            Triple<T> u0 = default, u1 = default;
            for (int f = lane; f < packs; f += TLanes.Count)
            {
                (TPack w0, TPack w1, TPack v0, TPack v1) =
                    Filters.Along(filter, packs, f, radial, from + n0, from + n1, radialTangent, from + n0, from + n1);
                Edge(n0, n < edges, w0, v0, senders, receivers, context, vectors, directions, contextTangent, vectorsTangent, directionsTangent,
                    scalarGradient, vectorGradient, packs, f, from, byFilters, byFiltersTangent, ref u0);
                Edge(n1, n + 1 < edges, w1, v1, senders, receivers, context, vectors, directions, contextTangent, vectorsTangent, directionsTangent,
                    scalarGradient, vectorGradient, packs, f, from, byFilters, byFiltersTangent, ref u1);
            }
            u0 = Triples.LaneSum<T, TLanes>(u0);
            u1 = Triples.LaneSum<T, TLanes>(u1);
            if (lane == 0)
            {
                if (n < edges) Triples.Store(byDirections, from + n0, 1, 0, u0);
                if (n + 1 < edges) Triples.Store(byDirections, from + n1, 1, 0, u1);
            }
        }
    }

    private static void Edge<T, TPack>(
        int n, bool owned, TPack w, TPack wTangent, ArrayView<long> senders, ArrayView<long> receivers, ArrayView<TPack> context,
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
        if (owned)
        {
            Triples.Store(byFilters, n, packs, f, by);
            Triples.Store(byFiltersTangent, n, packs, f, byTangent);
        }
        byDirection = Triples.AddSums(byDirection, g, x.B * wTangent + xTangent.B * w);
    }
}
