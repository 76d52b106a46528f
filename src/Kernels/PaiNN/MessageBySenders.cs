using System.Numerics;
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
        ArrayView<TPack> byContext, ArrayView<TPack> byVectors)
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
