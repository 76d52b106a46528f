using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// m_i = sum over the edges of row i of h_j * w, w = (ssp(phi W1^T + b1) W2^T + b2) f. A group owns a few rows and walks over their edges
/// tile by tile; hidden layer and messages of a tile live in shared memory, filters in registers.
/// </summary>
internal static class FilterForward
{
    /// <param name="radial">(E, K) phi</param>
    /// <param name="count">K</param>
    /// <param name="envelope">(E) f</param>
    /// <param name="features">(A, N) h, in packs of four like the next four</param>
    /// <param name="weight1">(K rounded up to a multiple of four, N) W1^T</param>
    /// <param name="bias1">(N)</param>
    /// <param name="weight2">(N, N) W2^T</param>
    /// <param name="bias2">(N)</param>
    /// <param name="rowStarts">(A + 1)</param>
    /// <param name="senders">(E)</param>
    /// <param name="rowsPerGroup">Rows that a group owns.</param>
    /// <param name="tileEdges">Edges of a tile, a multiple of eight.</param>
    /// <param name="sums">(A, N) m, written</param>
    public static void Run<T, TReal>(
        ArrayView<T> radial, int count, ArrayView<T> envelope, ArrayView<Pack4<T>> features,
        ArrayView<Pack4<T>> weight1, ArrayView<Pack4<T>> bias1, ArrayView<Pack4<T>> weight2, ArrayView<Pack4<T>> bias2,
        ArrayView<long> rowStarts, ArrayView<long> senders, int rowsPerGroup, int tileEdges, [Written] ArrayView<T> sums)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int columns = bias1.IntLength, inner = (count + 3) / 4;
        ArrayView<Pack4<T>> shared = SharedMemory.GetDynamic<Pack4<T>>();
        ArrayView<Pack4<T>> radials = shared.SubView(0, tileEdges * inner);
        ArrayView<Pack4<T>> hidden = shared.SubView(tileEdges * inner, tileEdges * columns);
        ArrayView<Pack4<T>> messages = shared.SubView(tileEdges * (inner + columns), tileEdges * columns);
        ArrayView<T> running = shared.SubView(tileEdges * (inner + 2 * columns), columns).Cast<T>();
        int row = Grid.IdxX * rowsPerGroup, endRow = row + rowsPerGroup, rows = rowStarts.IntLength - 1;
        if (endRow > rows) endRow = rows;
        int end = (int)rowStarts[endRow];
        RowSums.Clear(running);
        for (int start = (int)rowStarts[row]; start < end; start += tileEdges)
        {
            int edges = end - start < tileEdges ? end - start : tileEdges, blocks = (edges + 7) / 8;
            RadialTile.Load(radial, count, ArrayView<long>.Empty, start, edges, 8 * blocks, radials.Cast<T>(), 4 * inner);
            Group.Barrier();
            for (int task = Group.IdxX; task < blocks * columns; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, at = 8 * block * columns + c;
                TileBlock<T> s = TileProduct.Eight(
                    radials, 8 * block * inner, (8 * block + 4) * inner, inner, weight1, columns, c, bias1[c], bias1[c]);
                hidden[at] = Softplus.Values<T, TReal>(s.A0, Softplus.Falls<T, TReal>(s.A0));
                hidden[at + columns] = Softplus.Values<T, TReal>(s.A1, Softplus.Falls<T, TReal>(s.A1));
                hidden[at + 2 * columns] = Softplus.Values<T, TReal>(s.A2, Softplus.Falls<T, TReal>(s.A2));
                hidden[at + 3 * columns] = Softplus.Values<T, TReal>(s.A3, Softplus.Falls<T, TReal>(s.A3));
                hidden[at + 4 * columns] = Softplus.Values<T, TReal>(s.B0, Softplus.Falls<T, TReal>(s.B0));
                hidden[at + 5 * columns] = Softplus.Values<T, TReal>(s.B1, Softplus.Falls<T, TReal>(s.B1));
                hidden[at + 6 * columns] = Softplus.Values<T, TReal>(s.B2, Softplus.Falls<T, TReal>(s.B2));
                hidden[at + 7 * columns] = Softplus.Values<T, TReal>(s.B3, Softplus.Falls<T, TReal>(s.B3));
            }
            Group.Barrier();
            for (int task = Group.IdxX; task < blocks * columns; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, e = 8 * block;
                TileBlock<T> t = TileProduct.Eight(
                    hidden, e * columns, (e + 4) * columns, columns, weight2, columns, c, bias2[c], bias2[c]);
                Message(t.A0, e, start, edges, envelope, features, senders, columns, c, messages);
                Message(t.A1, e + 1, start, edges, envelope, features, senders, columns, c, messages);
                Message(t.A2, e + 2, start, edges, envelope, features, senders, columns, c, messages);
                Message(t.A3, e + 3, start, edges, envelope, features, senders, columns, c, messages);
                Message(t.B0, e + 4, start, edges, envelope, features, senders, columns, c, messages);
                Message(t.B1, e + 5, start, edges, envelope, features, senders, columns, c, messages);
                Message(t.B2, e + 6, start, edges, envelope, features, senders, columns, c, messages);
                Message(t.B3, e + 7, start, edges, envelope, features, senders, columns, c, messages);
            }
            Group.Barrier();
            row = RowSums.Add(messages.Cast<T>(), running, rowStarts, row, start, edges, sums);
        }
        RowSums.Finish(running, row, endRow, sums);
    }

    private static void Message<T>(
        Pack4<T> t, int e, int start, int edges, ArrayView<T> envelope, ArrayView<Pack4<T>> features, ArrayView<long> senders, int columns,
        int c, ArrayView<Pack4<T>> messages)
        where T : unmanaged, INumber<T>
    {
        if (e >= edges) return;
        int edge = start + e;
        messages[e * columns + c] = Packs.Times(Packs.Times(t, envelope[edge]), features[(int)senders[edge] * columns + c]);
    }
}
