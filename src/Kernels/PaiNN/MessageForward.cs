using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// PaiNN's message: with w = R G^T and [a | b | c] = x_j w, dq_i = sum of a and dmu_i = sum of b u + c mu_j over the edges that i receives.
/// A thread owns a few features of one receiver and walks its edges in order.
/// </summary>
internal static class MessageForward
{
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="senders">(E)</param>
    /// <param name="context">(A, 3, F) x</param>
    /// <param name="vectors">(A, 3, F) mu, or empty: zero</param>
    /// <param name="directions">(E, 3) u</param>
    /// <param name="radial">(E, K + 1) R</param>
    /// <param name="filter">(K + 1, 3, F) G^T</param>
    /// <param name="scalarSum">(A, F) dq, written</param>
    /// <param name="vectorSum">(A, 3, F) dmu, written</param>
    public static void Run<T, TPack>(
        ArrayView<long> rowStarts, ArrayView<long> senders, ArrayView<TPack> context, ArrayView<TPack> vectors, ArrayView<T> directions,
        ArrayView<T> radial, ArrayView<TPack> filter, [Written] ArrayView<TPack> scalarSum, [Written] ArrayView<TPack> vectorSum)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int packs = scalarSum.IntLength / (rowStarts.IntLength - 1);
        for (int item = Grid.GlobalIndex.X; item < scalarSum.IntLength; item += Grid.DimX * Group.DimX)
        {
            int i = item / packs, f = item - i * packs, end = (int)rowStarts[i + 1];
            TPack scalar = default;
            Triple<TPack> vector = default;
            for (int e = (int)rowStarts[i]; e < end; e += 4)
            {
                // The last edge stands in for those beyond the end.
                int e1 = e + 1 < end ? e + 1 : e, e2 = e + 2 < end ? e + 2 : e, e3 = e + 3 < end ? e + 3 : e;
                Filters.Of(filter, packs, f, radial, e, e1, radial, e2, e3,
                    out Triple<TPack> w0, out Triple<TPack> w1, out Triple<TPack> w2, out Triple<TPack> w3);
                Receive(e, w0, senders, context, vectors, directions, packs, f, ref scalar, ref vector);
                if (e + 1 < end) Receive(e1, w1, senders, context, vectors, directions, packs, f, ref scalar, ref vector);
                if (e + 2 < end) Receive(e2, w2, senders, context, vectors, directions, packs, f, ref scalar, ref vector);
                if (e + 3 < end) Receive(e3, w3, senders, context, vectors, directions, packs, f, ref scalar, ref vector);
            }
            scalarSum[item] = scalar;
            Triples.Store(vectorSum, i, packs, f, vector);
        }
    }

    private static void Receive<T, TPack>(
        int edge, Triple<TPack> w, ArrayView<long> senders, ArrayView<TPack> context, ArrayView<TPack> vectors, ArrayView<T> directions,
        int packs, int f, ref TPack scalar, ref Triple<TPack> vector)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int j = (int)senders[edge];
        Triple<TPack> x = Triples.Load(context, j, packs, f);
        scalar += x.A * w.A;
        vector = Triples.AddAlong(vector, Triples.Direction(directions, edge), x.B * w.B);
        if (vectors.IntLength > 0) vector = Triples.Add<T, TPack>(vector, Triples.Load(vectors, j, packs, f), x.C * w.C);
    }
}

/// <summary>Edges as PaiNN's kernels walk them: by receiver, in their own order, and by sender.</summary>
/// <param name="RowStarts">(A + 1): atom i receives edges RowStarts[i] .. RowStarts[i + 1] - 1</param>
/// <param name="Senders">(E)</param>
/// <param name="Receivers">(E)</param>
/// <param name="SenderStarts">(A + 1): atom j sends the edges at places SenderStarts[j] .. SenderStarts[j + 1] - 1</param>
/// <param name="SentEdges">(E): the edge of each place</param>
public readonly record struct MessageEdges(
    DeviceArray<long> RowStarts, DeviceArray<long> Senders, DeviceArray<long> Receivers, DeviceArray<long> SenderStarts,
    DeviceArray<long> SentEdges);

/// <summary>What PaiNN's message is made of besides its filter, or a tangent of that.</summary>
/// <param name="Context">(A, 3, F) x</param>
/// <param name="Vectors">(A, 3, F) mu; empty: zero</param>
/// <param name="Directions">(E, 3) u</param>
/// <param name="Radial">(E, K + 1) R = [phi f | f]</param>
public readonly record struct MessageValues<T>(DeviceArray<T> Context, DeviceArray<T> Vectors, DeviceArray<T> Directions,
    DeviceArray<T> Radial)
    where T : unmanaged;

/// <summary>What PaiNN's message makes, or a gradient with respect to that.</summary>
/// <param name="Scalars">(A, F) dq</param>
/// <param name="Vectors">(A, 3, F) dmu</param>
public readonly record struct MessageSums<T>(DeviceArray<T> Scalars, DeviceArray<T> Vectors)
    where T : unmanaged;
