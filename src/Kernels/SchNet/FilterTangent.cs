using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// The derivative of <see cref="FilterForward"/> along directions h', phi', f': sum over edges of h_j * w' + h_j' * w. It is what the
/// double backward pass gives to the incoming gradient. Values and derivatives go through the products together, four rows of each.
/// </summary>
internal static class FilterTangent
{
    /// <param name="radial">(E, K) phi</param>
    /// <param name="radialDot">(E, K) phi'; this and the next two directions may be empty: zero</param>
    /// <param name="count">K</param>
    /// <param name="envelope">(E) f</param>
    /// <param name="envelopeDot">(E) f'</param>
    /// <param name="features">(A, N) h</param>
    /// <param name="featuresDot">(A, N) h'</param>
    /// <param name="weight1">(K rounded up, N) W1^T</param>
    /// <param name="bias1">(N)</param>
    /// <param name="weight2">(N, N) W2^T</param>
    /// <param name="bias2">(N)</param>
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="senders">(E)</param>
    /// <param name="rowsPerGroup">Rows that a group owns.</param>
    /// <param name="tileEdges">Edges of a tile, a multiple of eight.</param>
    /// <param name="sums">(A, N), written</param>
    public static void Run<T, TReal>(
        ArrayView<T> radial, ArrayView<T> radialDot, int count, ArrayView<T> envelope, ArrayView<T> envelopeDot,
        ArrayView<Pack4<T>> features, ArrayView<Pack4<T>> featuresDot,
        ArrayView<Pack4<T>> weight1, ArrayView<Pack4<T>> bias1, ArrayView<Pack4<T>> weight2, ArrayView<Pack4<T>> bias2,
        ArrayView<long> rowStarts, ArrayView<long> senders, int rowsPerGroup, int tileEdges, [Written] ArrayView<T> sums)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int columns = bias1.IntLength, inner = (count + 3) / 4, dual = tileEdges * inner, deep = tileEdges * columns;
        ArrayView<Pack4<T>> shared = SharedMemory.GetDynamic<Pack4<T>>();
        ArrayView<Pack4<T>> radials = shared.SubView(0, 2 * dual);
        ArrayView<Pack4<T>> hidden = shared.SubView(2 * dual, 2 * deep);
        ArrayView<Pack4<T>> messages = shared.SubView(2 * dual + 2 * deep, deep);
        ArrayView<T> running = shared.SubView(2 * dual + 3 * deep, columns).Cast<T>();
        int row = Grid.IdxX * rowsPerGroup, endRow = row + rowsPerGroup, rows = rowStarts.IntLength - 1;
        if (endRow > rows) endRow = rows;
        int end = (int)rowStarts[endRow];
        RowSums.Clear(running);
        for (int start = (int)rowStarts[row]; start < end; start += tileEdges)
        {
            int edges = end - start < tileEdges ? end - start : tileEdges, blocks = (edges + 3) / 4;
            RadialTile.Load(radial, count, ArrayView<long>.Empty, start, edges, 4 * blocks, radials.Cast<T>(), 4 * inner);
            RadialTile.Load(
                radialDot, count, ArrayView<long>.Empty, start, edges, 4 * blocks, radials.SubView(dual, dual).Cast<T>(), 4 * inner);
            Group.Barrier();
            for (int task = Group.IdxX; task < blocks * columns; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, at = 4 * block * columns + c;
                TileBlock<T> s = TileProduct.Eight(
                    radials, 4 * block * inner, dual + 4 * block * inner, inner, weight1, columns, c, bias1[c], default);
                Hidden<T, TReal>(s.A0, s.B0, at, deep, hidden);
                Hidden<T, TReal>(s.A1, s.B1, at + columns, deep, hidden);
                Hidden<T, TReal>(s.A2, s.B2, at + 2 * columns, deep, hidden);
                Hidden<T, TReal>(s.A3, s.B3, at + 3 * columns, deep, hidden);
            }
            Group.Barrier();
            for (int task = Group.IdxX; task < blocks * columns; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, e = 4 * block;
                TileBlock<T> t = TileProduct.Eight(
                    hidden, e * columns, deep + e * columns, columns, weight2, columns, c, bias2[c], default);
                Message(t.A0, t.B0, e, start, edges, envelope, envelopeDot, features, featuresDot, senders, columns, c, messages);
                Message(t.A1, t.B1, e + 1, start, edges, envelope, envelopeDot, features, featuresDot, senders, columns, c, messages);
                Message(t.A2, t.B2, e + 2, start, edges, envelope, envelopeDot, features, featuresDot, senders, columns, c, messages);
                Message(t.A3, t.B3, e + 3, start, edges, envelope, envelopeDot, features, featuresDot, senders, columns, c, messages);
            }
            Group.Barrier();
            row = RowSums.Add(messages.Cast<T>(), running, rowStarts, row, start, edges, sums);
        }
        RowSums.Finish(running, row, endRow, sums);
    }

    private static void Hidden<T, TReal>(Pack4<T> s, Pack4<T> sDot, int at, int deep, ArrayView<Pack4<T>> hidden)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        Pack4<T> e = Softplus.Falls<T, TReal>(s);
        hidden[at] = Softplus.Values<T, TReal>(s, e);
        hidden[deep + at] = Packs.Times(Softplus.Slopes<T, TReal>(s, e), sDot);
    }

    private static void Message<T>(
        Pack4<T> t, Pack4<T> tDot, int e, int start, int edges, ArrayView<T> envelope, ArrayView<T> envelopeDot,
        ArrayView<Pack4<T>> features, ArrayView<Pack4<T>> featuresDot, ArrayView<long> senders, int columns, int c,
        ArrayView<Pack4<T>> messages)
        where T : unmanaged, INumber<T>
    {
        if (e >= edges) return;
        int edge = start + e, sender = (int)senders[edge] * columns + c;
        T f = envelope[edge];
        Pack4<T> wDot = Packs.Times(tDot, f);
        if (envelopeDot.IntLength > 0) wDot = Packs.Add(wDot, Packs.Times(t, envelopeDot[edge]));
        Pack4<T> message = Packs.Times(features[sender], wDot);
        if (featuresDot.IntLength > 0) message = Packs.Add(message, Packs.Times(featuresDot[sender], Packs.Times(t, f)));
        messages[e * columns + c] = message;
    }
}
