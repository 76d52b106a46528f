using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

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
        ArrayView<TPack> byContext, ArrayView<TPack> byVectors)
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
