using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// Gradients of the derivative of S = sum over edges of w . q, q = h_j g_i, along directions h', phi', f', by all but g, which
/// <see cref="FilterTangent"/> gives. With q' = h_j' g_i, values and derivatives from the same products:
/// by t' q f, by t q f' + q' f, by f t' . q + t . q', by h_j the sum of g_i w', and down through ssp with
/// by s' = (W2^T by t') ssp'(s), by s = (W2^T by t) ssp'(s) + (W2^T by t') s' ssp''(s), by phi W1^T by s.
/// </summary>
internal static class FilterDoubleBackward
{
    /// <param name="radial">(E, K) phi</param>
    /// <param name="radialDot">(E, K) phi'; this and the next two directions may be empty: zero</param>
    /// <param name="count">K</param>
    /// <param name="envelope">(E) f</param>
    /// <param name="envelopeDot">(E) f'</param>
    /// <param name="features">(A, N) h</param>
    /// <param name="featuresDot">(A, N) h'</param>
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
    /// <param name="inputScratch">(2, launch's edges, K rounded up) phi, phi', written; may be empty with the next three</param>
    /// <param name="hiddenScratch">(2, launch's edges, N) ssp(s) and its derivative</param>
    /// <param name="innerScratch">(2, launch's edges, N) by s, by s'</param>
    /// <param name="outerScratch">(2, launch's edges, N) by t, by t'</param>
    public static void Run<T, TReal>(
        ArrayView<T> radial, ArrayView<T> radialDot, int count, ArrayView<T> envelope, ArrayView<T> envelopeDot,
        ArrayView<Pack4<T>> features, ArrayView<Pack4<T>> featuresDot, ArrayView<Pack4<T>> gradient,
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
        int columns = bias1.IntLength, inner = (count + 3) / 4, deep = tileEdges * columns, dual = tileEdges * inner;
        ArrayView<Pack4<T>> shared = SharedMemory.GetDynamic<Pack4<T>>();
        ArrayView<Pack4<T>> hidden = shared.SubView(0, 2 * deep);
        ArrayView<Pack4<T>> outer = shared.SubView(2 * deep, 2 * deep);
        ArrayView<Pack4<T>> slopes = shared.SubView(4 * deep, deep);
        ArrayView<Pack4<T>> messages = shared.SubView(5 * deep, deep);
        ArrayView<Pack4<T>> radials = shared.SubView(6 * deep, 2 * dual);
        ArrayView<T> running = shared.SubView(6 * deep + 2 * dual, columns).Cast<T>();
        ArrayView<T> dots = shared.SubView(6 * deep + 2 * dual + columns, tileEdges * (columns | 1) / 4).Cast<T>();
        int row = firstRow + Grid.IdxX * rowsPerGroup, endRow = row + rowsPerGroup;
        if (endRow > lastRow) endRow = lastRow;
        int end = (int)rowStarts[endRow], origin = (int)rowStarts[firstRow], all = (int)rowStarts[lastRow] - origin;
        bool keep = hiddenScratch.IntLength > 0;
        RowSums.Clear(running);
        for (int start = (int)rowStarts[row]; start < end; start += tileEdges)
        {
            int edges = end - start < tileEdges ? end - start : tileEdges, blocks = (edges + 3) / 4, tasks = blocks * columns;
            int kept = (start - origin) * columns, keptRadial = (start - origin) * inner;
            RadialTile.Load(radial, count, order, start, edges, 4 * blocks, radials.Cast<T>(), 4 * inner);
            RadialTile.Load(radialDot, count, order, start, edges, 4 * blocks, radials.SubView(dual, dual).Cast<T>(), 4 * inner);
            Group.Barrier();
            if (keep)
            {
                FilterTile.Copy(radials, inputScratch, keptRadial, edges * inner);
                FilterTile.Copy(radials.SubView(dual, dual), inputScratch, all * inner + keptRadial, edges * inner);
            }
            for (int task = Group.IdxX; task < tasks; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, at = 4 * block * columns + c;
                TileBlock<T> s = TileProduct.Eight(
                    radials, 4 * block * inner, dual + 4 * block * inner, inner, weight1, columns, c, bias1[c], default);
                Hidden<T, TReal>(s.A0, s.B0, at, deep, hidden, slopes);
                Hidden<T, TReal>(s.A1, s.B1, at + columns, deep, hidden, slopes);
                Hidden<T, TReal>(s.A2, s.B2, at + 2 * columns, deep, hidden, slopes);
                Hidden<T, TReal>(s.A3, s.B3, at + 3 * columns, deep, hidden, slopes);
            }
            Group.Barrier();
            if (keep)
            {
                FilterTile.Copy(hidden, hiddenScratch, kept, edges * columns);
                FilterTile.Copy(hidden.SubView(deep, deep), hiddenScratch, all * columns + kept, edges * columns);
            }
            for (int task = Group.IdxX; task < tasks; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, e = 4 * block;
                TileBlock<T> t = TileProduct.Eight(
                    hidden, e * columns, deep + e * columns, columns, weight2, columns, c, bias2[c], default);
                Filter(t.A0, t.B0, e, start, edges, tileEdges, envelope, envelopeDot, features, featuresDot, gradient,
                    order, senders, receivers, columns, c, outer, messages, dots);
                Filter(t.A1, t.B1, e + 1, start, edges, tileEdges, envelope, envelopeDot, features, featuresDot, gradient,
                    order, senders, receivers, columns, c, outer, messages, dots);
                Filter(t.A2, t.B2, e + 2, start, edges, tileEdges, envelope, envelopeDot, features, featuresDot, gradient,
                    order, senders, receivers, columns, c, outer, messages, dots);
                Filter(t.A3, t.B3, e + 3, start, edges, tileEdges, envelope, envelopeDot, features, featuresDot, gradient,
                    order, senders, receivers, columns, c, outer, messages, dots);
            }
            Group.Barrier();
            if (keep)
            {
                FilterTile.Copy(outer, outerScratch, kept, edges * columns);
                FilterTile.Copy(outer.SubView(deep, deep), outerScratch, all * columns + kept, edges * columns);
            }
            FilterTile.SumDots(dots, columns, order, start, edges, byEnvelope);
            row = RowSums.Add(messages.Cast<T>(), running, rowStarts, row, start, edges, byFeatures);
            for (int task = Group.IdxX; task < tasks; task += Group.DimX)
            {
                int block = task / columns, c = task - block * columns, e = 4 * block, at = e * columns + c;
                TileBlock<T> h = TileProduct.Eight(outer, e * columns, deep + e * columns, columns, plain2, columns, c, default, default);
                Inner<T, TReal>(h.A0, h.B0, e, edges, at, deep, hidden, slopes, innerScratch, kept, all * columns);
                Inner<T, TReal>(h.A1, h.B1, e + 1, edges, at + columns, deep, hidden, slopes, innerScratch, kept, all * columns);
                Inner<T, TReal>(h.A2, h.B2, e + 2, edges, at + 2 * columns, deep, hidden, slopes, innerScratch, kept, all * columns);
                Inner<T, TReal>(h.A3, h.B3, e + 3, edges, at + 3 * columns, deep, hidden, slopes, innerScratch, kept, all * columns);
            }
            Group.Barrier();
            FilterTile.ByRadial(slopes, columns, plain1, inner, count, order, start, edges, byRadial, byRadialPacks);
        }
        RowSums.Finish(running, row, endRow, byFeatures);
    }

    private static void Hidden<T, TReal>(
        Pack4<T> s, Pack4<T> sDot, int at, int deep, ArrayView<Pack4<T>> hidden, ArrayView<Pack4<T>> slopes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        Pack4<T> e = Softplus.Falls<T, TReal>(s), slope = Softplus.Slopes<T, TReal>(s, e);
        hidden[at] = Softplus.Values<T, TReal>(s, e);
        hidden[deep + at] = Packs.Times(slope, sDot);
        slopes[at] = slope;
    }

    private static void Filter<T>(
        Pack4<T> t, Pack4<T> tDot, int e, int start, int edges, int tileEdges, ArrayView<T> envelope, ArrayView<T> envelopeDot,
        ArrayView<Pack4<T>> features, ArrayView<Pack4<T>> featuresDot, ArrayView<Pack4<T>> gradient,
        ArrayView<long> order, ArrayView<long> senders, ArrayView<long> receivers, int columns, int c,
        ArrayView<Pack4<T>> outer, ArrayView<Pack4<T>> messages, ArrayView<T> dots)
        where T : unmanaged, INumber<T>
    {
        int at = e * columns + c, deep = tileEdges * columns;
        if (e < edges)
        {
            int edge = RadialTile.EdgeAt(order, start + e), sender = (int)senders[edge] * columns + c;
            T f = envelope[edge], fDot = envelopeDot.IntLength > 0 ? envelopeDot[edge] : T.Zero;
            Pack4<T> g = gradient[(int)receivers[edge] * columns + c], q = Packs.Times(features[sender], g), byT = Packs.Times(q, fDot);
            T byF = Packs.Dot(tDot, q);
            if (featuresDot.IntLength > 0)
            {
                Pack4<T> qDot = Packs.Times(featuresDot[sender], g);
                byT = Packs.Add(byT, Packs.Times(qDot, f));
                byF += Packs.Dot(t, qDot);
            }
            outer[at] = byT;
            outer[deep + at] = Packs.Times(q, f);
            messages[at] = Packs.Times(g, Packs.Add(Packs.Times(tDot, f), Packs.Times(t, fDot)));
            dots[e * (columns | 1) + c] = byF;
        }
        else
        {
            // Past the end of the rows: what the next product makes of it is not used, but must not be left over.
            outer[at] = default;
            outer[deep + at] = default;
        }
    }

    private static void Inner<T, TReal>(
        Pack4<T> byHidden, Pack4<T> byHiddenDot, int e, int edges, int at, int deep, ArrayView<Pack4<T>> hidden, ArrayView<Pack4<T>> slopes,
        ArrayView<Pack4<T>> innerScratch, int kept, int dual)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        if (e >= edges) return;
        Pack4<T> slope = slopes[at], hiddenDot = hidden[deep + at];
        // ssp'' s' = (1 - ssp') ssp' s', and ssp' s' is the hidden layer's derivative.
        var rest = new Pack4<T>
        {
            X = TReal.Of(1) - slope.X,
            Y = TReal.Of(1) - slope.Y,
            Z = TReal.Of(1) - slope.Z,
            W = TReal.Of(1) - slope.W,
        };
        Pack4<T> byS = Packs.Add(Packs.Times(byHidden, slope), Packs.Times(Packs.Times(hiddenDot, rest), byHiddenDot));
        slopes[at] = byS;
        if (innerScratch.IntLength > 0)
        {
            innerScratch[kept + at] = byS;
            innerScratch[dual + kept + at] = Packs.Times(byHiddenDot, slope);
        }
    }
}
