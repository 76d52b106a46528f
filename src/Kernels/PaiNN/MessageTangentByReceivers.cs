using System.Numerics;
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
        ArrayView<T> directionsTangent, ArrayView<T> radialTangent, ArrayView<TPack> byScalarGradient, ArrayView<TPack> byVectorGradient)
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
