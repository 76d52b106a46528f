using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention;

/// <summary>
/// o_i = sum_j p_ij v_j, p_ij = exp(s_ij - m_i) / l_i, s_ij = scale q_i . k_j, for the keys j of the same molecule that query i sees. One
/// pass over the keys, in tiles: greatest score m and sum l run along, and what was summed shrinks whenever m grows.
/// </summary>
internal static class AttentionForward
{
    /// <param name="qkv">(T, 3 h) as packs</param>
    /// <param name="tiles">(tiles, 3) of as many rows as a group has</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="headsPerGroup">Of a group.</param>
    /// <param name="keysPerTile">In shared memory at a time; a multiple of four.</param>
    /// <param name="window">Keys that a query sees at most, its own included.</param>
    /// <param name="scale">Of the scores.</param>
    /// <param name="output">(T, h) as packs, written</param>
    /// <param name="greatest">(T, heads) m, written</param>
    /// <param name="inverse">(T, heads) 1 / l, written</param>
    public static void Run<T, TReal, THead, TPack, TLanes>(
        ArrayView<TPack> qkv, ArrayView<int> tiles, int heads, int headsPerGroup, int keysPerTile, int window, T scale,
        [Written] ArrayView<TPack> output, [Written] ArrayView<T> greatest, [Written] ArrayView<T> inverse)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where THead : unmanaged, IHead<THead, TPack, T>
        where TPack : unmanaged
        where TLanes : struct, ILanes
    {
        ArrayView<TPack> shared = SharedMemory.GetDynamic<TPack>();
        AttentionPlace place = AttentionPlace.Find<TLanes>(tiles, heads, headsPerGroup);
        int headPacks = THead.Packs * TLanes.Count, part = heads * headPacks, column = place.FirstHead * headPacks;
        int stride = THead.Packs * place.Width, values = keysPerTile * stride;
        int own = place.Head * headPacks + place.Lane, first = place.Row - window + 1;
        THead q = THead.Load(qkv, place.Row * 3 * part + own, TLanes.Count), sum = THead.Zero;
        // Finite, so that a step of hidden keys alone leaves zeros.
        T top = TReal.Of(-3e38), total = T.Zero;

        for (int low = AttentionPlace.Max(place.Begin, place.FirstRow - window + 1); low <= place.LastRow; low += keysPerTile)
        {
            int count = AttentionPlace.Min(keysPerTile, place.LastRow + 1 - low);
            Group.Barrier();
            HeadTile.Fill<T, THead, TPack, TLanes>(qkv, 3 * part, part + column, low, count, place, shared, 0);
            HeadTile.Fill<T, THead, TPack, TLanes>(qkv, 3 * part, 2 * part + column, low, count, place, shared, values);
            Group.Barrier();
            int end = AttentionPlace.Min(low + count, place.LastTogether + 1);
            for (int j = low; j < end; j += HeadTile.Step)
            {
                int k = (j - low) * stride + place.Slot, v = k + values;
                int from = first - j, to = place.Row - j;
                T a = Score<T, TReal, THead, TPack, TLanes>(q, scale, shared, k, place.Width, 0 >= from && 0 <= to);
                T b = Score<T, TReal, THead, TPack, TLanes>(q, scale, shared, k + stride, place.Width, 1 >= from && 1 <= to);
                T c = Score<T, TReal, THead, TPack, TLanes>(q, scale, shared, k + 2 * stride, place.Width, 2 >= from && 2 <= to);
                T d = Score<T, TReal, THead, TPack, TLanes>(q, scale, shared, k + 3 * stride, place.Width, 3 >= from && 3 <= to);
                T grown = Max(top, Max(Max(a, b), Max(c, d))), shrink = TReal.Exp(top - grown);
                top = grown;
                a = TReal.Exp(a - top);
                b = TReal.Exp(b - top);
                c = TReal.Exp(c - top);
                d = TReal.Exp(d - top);
                total = total * shrink + (a + b + (c + d));
                sum = THead.Scale(shrink, sum);
                sum = THead.Add(sum, a, THead.Load(shared, v, place.Width));
                sum = THead.Add(sum, b, THead.Load(shared, v + stride, place.Width));
                sum = THead.Add(sum, c, THead.Load(shared, v + 2 * stride, place.Width));
                sum = THead.Add(sum, d, THead.Load(shared, v + 3 * stride, place.Width));
            }
        }

        if (!place.Active) return;
        T factor = T.One / total;
        THead.Store(output, place.Row * part + own, TLanes.Count, THead.Scale(factor, sum));
        if (place.Lane != 0) return;
        greatest[place.Row * heads + place.Head] = top;
        inverse[place.Row * heads + place.Head] = factor;
    }

    private static T Score<T, TReal, THead, TPack, TLanes>(THead q, T scale, ArrayView<TPack> shared, int at, int stride, bool visible)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where THead : unmanaged, IHead<THead, TPack, T>
        where TPack : unmanaged
        where TLanes : struct, ILanes
    {
        T score = scale * TLanes.Sum(THead.Dot(q, THead.Load(shared, at, stride)));
        return visible ? score : TReal.Of(double.NegativeInfinity);
    }

    private static T Max<T>(T a, T b)
        where T : unmanaged, INumber<T> => a > b ? a : b;
}
