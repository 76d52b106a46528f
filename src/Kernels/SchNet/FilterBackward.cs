using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// Gradients of <see cref="FilterForward"/> from g, that of m: with q = h_j g_i, by h_j the sum of g_i w over the edges that j sends,
/// by f q . t, by t q f, by s (W2^T by t) ssp'(s), by phi W1^T by s. A group owns a few senders' rows. What the weights' gradients need
/// of these edges is left in scratch memory for products of matrices: see <see cref="FilterScratch{T}"/>.
/// </summary>
internal static class FilterBackward
{
    /// <param name="radial">(E, K) phi</param>
    /// <param name="count">K</param>
    /// <param name="envelope">(E) f</param>
    /// <param name="features">(A, N) h</param>
    /// <param name="gradient">(A, N) g</param>
    /// <param name="weight1">(K rounded up, N) W1^T</param>
    /// <param name="bias1">(N)</param>
    /// <param name="weight2">(N, N) W2^T</param>
    /// <param name="bias2">(N)</param>
    /// <param name="plain2">(N, N) W2</param>
    /// <param name="plain1">(N, K rounded up) W1</param>
    /// <param name="rowStarts">(A + 1) by sender</param>
    /// <param name="order">(E) edges by sender</param>
    /// <param name="senders">(E)</param>
    /// <param name="receivers">(E)</param>
    /// <param name="firstRow">Where the launch starts.</param>
    /// <param name="lastRow">And ends: the row after the last.</param>
    /// <param name="rowsPerGroup">Rows that a group owns.</param>
    /// <param name="tileEdges">Edges of a tile, a multiple of eight.</param>
    /// <param name="byFeatures">(A, N), written</param>
    /// <param name="byRadial">(E, K), written</param>
    /// <param name="byRadialPacks">The same as packs of four; empty where K is no multiple of four</param>
    /// <param name="byEnvelope">(E), written</param>
    /// <param name="inputScratch">(launch's edges, K rounded up) phi in the rows' order, written; may be empty with the next three</param>
    /// <param name="hiddenScratch">(launch's edges, N) ssp(s)</param>
    /// <param name="innerScratch">(launch's edges, N) by s</param>
    /// <param name="outerScratch">(launch's edges, N) by t</param>
    public static void Run<T, TReal>(
        ArrayView<T> radial, int count, ArrayView<T> envelope, ArrayView<Pack4<T>> features, ArrayView<Pack4<T>> gradient,
        ArrayView<Pack4<T>> weight1, ArrayView<Pack4<T>> bias1, ArrayView<Pack4<T>> weight2, ArrayView<Pack4<T>> bias2,
        ArrayView<Pack4<T>> plain2, ArrayView<Pack4<T>> plain1,
        ArrayView<long> rowStarts, ArrayView<long> order, ArrayView<long> senders, ArrayView<long> receivers,
        int firstRow, int lastRow, int rowsPerGroup, int tileEdges,
        ArrayView<T> byFeatures, ArrayView<T> byRadial, ArrayView<Pack4<T>> byRadialPacks, ArrayView<T> byEnvelope,
        ArrayView<Pack4<T>> inputScratch, ArrayView<Pack4<T>> hiddenScratch,
        ArrayView<Pack4<T>> innerScratch, ArrayView<Pack4<T>> outerScratch)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int columns = bias1.IntLength, inner = (count + 3) / 4, deep = tileEdges * columns;
        ArrayView<Pack4<T>> shared = SharedMemory.GetDynamic<Pack4<T>>();
        ArrayView<Pack4<T>> hidden = shared.SubView(0, deep);
        ArrayView<Pack4<T>> slopes = shared.SubView(deep, deep);
        ArrayView<Pack4<T>> outer = shared.SubView(2 * deep, deep);
        ArrayView<Pack4<T>> messages = shared.SubView(3 * deep, deep);
        ArrayView<Pack4<T>> radials = shared.SubView(4 * deep, tileEdges * inner);
        ArrayView<T> running = shared.SubView(4 * deep + tileEdges * inner, columns).Cast<T>();
        ArrayView<T> dots = shared.SubView(4 * deep + tileEdges * inner + columns, tileEdges * (columns | 1) / 4).Cast<T>();
        int row = firstRow + Grid.IdxX * rowsPerGroup, endRow = row + rowsPerGroup;
        if (endRow > lastRow) endRow = lastRow;
        int end = (int)rowStarts[endRow], origin = (int)rowStarts[firstRow];
        bool keep = hiddenScratch.IntLength > 0;
        RowSums.Clear(running);
        for (int start = (int)rowStarts[row]; start < end; start += tileEdges)
        {
            int edges = end - start < tileEdges ? end - start : tileEdges, blocks = (edges + 7) / 8, tasks = blocks * columns;
            RadialTile.Load(radial, count, order, start, edges, 8 * blocks, radials.Cast<T>(), 4 * inner);
            Group.Barrier();
            if (keep) FilterTile.Copy(radials, inputScratch, (start - origin) * inner, edges * inner);
            for (int task = Group.IdxX; task < tasks; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, at = 8 * block * columns + c;
                TileBlock<T> s = TileProduct.Eight(
                    radials, 8 * block * inner, (8 * block + 4) * inner, inner, weight1, columns, c, bias1[c], bias1[c]);
                Hidden<T, TReal>(s.A0, at, hidden, slopes);
                Hidden<T, TReal>(s.A1, at + columns, hidden, slopes);
                Hidden<T, TReal>(s.A2, at + 2 * columns, hidden, slopes);
                Hidden<T, TReal>(s.A3, at + 3 * columns, hidden, slopes);
                Hidden<T, TReal>(s.B0, at + 4 * columns, hidden, slopes);
                Hidden<T, TReal>(s.B1, at + 5 * columns, hidden, slopes);
                Hidden<T, TReal>(s.B2, at + 6 * columns, hidden, slopes);
                Hidden<T, TReal>(s.B3, at + 7 * columns, hidden, slopes);
            }
            Group.Barrier();
            if (keep) FilterTile.Copy(hidden, hiddenScratch, (start - origin) * columns, edges * columns);
            for (int task = Group.IdxX; task < tasks; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, e = 8 * block;
                TileBlock<T> t = TileProduct.Eight(
                    hidden, e * columns, (e + 4) * columns, columns, weight2, columns, c, bias2[c], bias2[c]);
                Filter(t.A0, e, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
                Filter(t.A1, e + 1, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
                Filter(t.A2, e + 2, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
                Filter(t.A3, e + 3, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
                Filter(t.B0, e + 4, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
                Filter(t.B1, e + 5, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
                Filter(t.B2, e + 6, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
                Filter(t.B3, e + 7, start, edges, envelope, features, gradient, order, senders, receivers, columns, c,
                    outer, messages, dots);
            }
            Group.Barrier();
            if (keep) FilterTile.Copy(outer, outerScratch, (start - origin) * columns, edges * columns);
            FilterTile.SumDots(dots, columns, order, start, edges, byEnvelope);
            row = RowSums.Add(messages.Cast<T>(), running, rowStarts, row, start, edges, byFeatures);
            for (int task = Group.IdxX; task < tasks; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, at = 8 * block * columns + c;
                TileBlock<T> h = TileProduct.Eight(
                    outer, 8 * block * columns, (8 * block + 4) * columns, columns, plain2, columns, c, default, default);
                slopes[at] = Packs.Times(slopes[at], h.A0);
                slopes[at + columns] = Packs.Times(slopes[at + columns], h.A1);
                slopes[at + 2 * columns] = Packs.Times(slopes[at + 2 * columns], h.A2);
                slopes[at + 3 * columns] = Packs.Times(slopes[at + 3 * columns], h.A3);
                slopes[at + 4 * columns] = Packs.Times(slopes[at + 4 * columns], h.B0);
                slopes[at + 5 * columns] = Packs.Times(slopes[at + 5 * columns], h.B1);
                slopes[at + 6 * columns] = Packs.Times(slopes[at + 6 * columns], h.B2);
                slopes[at + 7 * columns] = Packs.Times(slopes[at + 7 * columns], h.B3);
            }
            Group.Barrier();
            if (keep) FilterTile.Copy(slopes, innerScratch, (start - origin) * columns, edges * columns);
            FilterTile.ByRadial(slopes, columns, plain1, inner, count, order, start, edges, byRadial, byRadialPacks);
        }
        RowSums.Finish(running, row, endRow, byFeatures);
    }

    private static void Hidden<T, TReal>(Pack4<T> s, int at, ArrayView<Pack4<T>> hidden, ArrayView<Pack4<T>> slopes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        Pack4<T> e = Softplus.Falls<T, TReal>(s);
        hidden[at] = Softplus.Values<T, TReal>(s, e);
        slopes[at] = Softplus.Slopes<T, TReal>(s, e);
    }

    private static void Filter<T>(
        Pack4<T> t, int e, int start, int edges,
        ArrayView<T> envelope, ArrayView<Pack4<T>> features, ArrayView<Pack4<T>> gradient,
        ArrayView<long> order, ArrayView<long> senders, ArrayView<long> receivers, int columns, int c,
        ArrayView<Pack4<T>> outer, ArrayView<Pack4<T>> messages, ArrayView<T> dots)
        where T : unmanaged, INumber<T>
    {
        if (e < edges)
        {
            int edge = RadialTile.EdgeAt(order, start + e);
            T f = envelope[edge];
            Pack4<T> g = gradient[(int)receivers[edge] * columns + c], q = Packs.Times(features[(int)senders[edge] * columns + c], g);
            outer[e * columns + c] = Packs.Times(q, f);
            messages[e * columns + c] = Packs.Times(g, Packs.Times(t, f));
            dots[e * (columns | 1) + c] = Packs.Dot(q, t);
        }
        else
        {
            // Past the end of the rows: what the next product makes of it is not used, but must not be left over.
            outer[e * columns + c] = default;
        }
    }
}
