using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention;

/// <summary>
/// dq_i = scale sum_j ds_ij k_j with ds_ij = p_ij (g_i . v_j - D_i), D_i = g_i . o_i = sum_j p_ij g_i . v_j: the groups and loops of the
/// forward pass.
/// </summary>
internal static class AttentionBackwardQueries
{
    /// <param name="qkv">(T, 3 h) as packs</param>
    /// <param name="tiles">(tiles, 3) of as many rows as a group has</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="headsPerGroup">Of a group.</param>
    /// <param name="keysPerTile">In shared memory at a time; a multiple of four.</param>
    /// <param name="window">Keys that a query sees at most, its own included.</param>
    /// <param name="scale">Of the scores.</param>
    /// <param name="output">(T, h) as packs</param>
    /// <param name="greatest">(T, heads) m</param>
    /// <param name="inverse">(T, heads) 1 / l</param>
    /// <param name="outputGradient">(T, h) as packs, g</param>
    /// <param name="gradient">(T, 3 h) as packs: its first third is written</param>
    /// <param name="delta">(T, heads) D, written</param>
    public static void Run<T, TReal, THead, TPack, TLanes>(
        ArrayView<TPack> qkv, ArrayView<int> tiles, int heads, int headsPerGroup, int keysPerTile, int window, T scale,
        ArrayView<TPack> output, ArrayView<T> greatest, ArrayView<T> inverse, ArrayView<TPack> outputGradient, ArrayView<TPack> gradient,
        [Written] ArrayView<T> delta)
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
        int own = place.Head * headPacks + place.Lane, statistic = place.Row * heads + place.Head, first = place.Row - window + 1;
        THead q = THead.Load(qkv, place.Row * 3 * part + own, TLanes.Count), sum = THead.Zero;
        THead g = THead.Load(outputGradient, place.Row * part + own, TLanes.Count);
        T mean = TLanes.Sum(THead.Dot(g, THead.Load(output, place.Row * part + own, TLanes.Count)));
        T top = greatest[statistic], factor = inverse[statistic];

        for (int low = AttentionPlace.Max(place.Begin, place.FirstRow - window + 1); low <= place.LastRow; low += keysPerTile)
        {
            int count = AttentionPlace.Min(keysPerTile, place.LastRow + 1 - low);
            Group.Barrier();
            HeadTile.Fill<T, THead, TPack, TLanes>(qkv, 3 * part, part + column, low, count, place, shared, 0);
            HeadTile.Fill<T, THead, TPack, TLanes>(qkv, 3 * part, 2 * part + column, low, count, place, shared, values);
            Group.Barrier();
            int end = AttentionPlace.Min(low + count, place.LastTogether + 1);
            for (int j = AttentionPlace.Max(low, place.FirstTogether - window + 1); j < end; j++)
            {
                int at = (j - low) * stride + place.Slot;
                THead k = THead.Load(shared, at, place.Width), v = THead.Load(shared, at + values, place.Width);
                T p = TReal.Exp(scale * TLanes.Sum(THead.Dot(q, k)) - top) * factor, ds = p * (TLanes.Sum(THead.Dot(g, v)) - mean);
                // Threads that walk together pass keys that not all of them see.
                if (TLanes.Count > 1 && (j < first || j > place.Row)) ds = T.Zero;
                sum = THead.Add(sum, ds, k);
            }
        }

        if (!place.Active) return;
        THead.Store(gradient, place.Row * 3 * part + own, TLanes.Count, THead.Scale(scale, sum));
        if (place.Lane == 0) delta[statistic] = mean;
    }
}

/// <summary>
/// dv_j = sum_i p_ij g_i and dk_j = scale sum_i ds_ij q_i over the queries i that see key j: rows of the tile are keys, queries pass by
/// in shared memory. A key has one owner, and its sums one order.
/// </summary>
internal static class AttentionBackwardKeys
{
    /// <param name="qkv">(T, 3 h) as packs</param>
    /// <param name="tiles">(tiles, 3) of as many rows as a group has</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="headsPerGroup">Of a group.</param>
    /// <param name="queriesPerTile">In shared memory at a time; a multiple of four.</param>
    /// <param name="window">Keys that a query sees at most, its own included.</param>
    /// <param name="scale">Of the scores.</param>
    /// <param name="greatest">(T, heads) m</param>
    /// <param name="inverse">(T, heads) 1 / l</param>
    /// <param name="delta">(T, heads) D</param>
    /// <param name="outputGradient">(T, h) as packs, g</param>
    /// <param name="gradient">(T, 3 h) as packs: its last two thirds are written</param>
    public static void Run<T, TReal, THead, TPack, TLanes>(
        ArrayView<TPack> qkv, ArrayView<int> tiles, int heads, int headsPerGroup, int queriesPerTile, int window, T scale,
        ArrayView<T> greatest, ArrayView<T> inverse, ArrayView<T> delta, ArrayView<TPack> outputGradient, ArrayView<TPack> gradient)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where THead : unmanaged, IHead<THead, TPack, T>
        where TPack : unmanaged
        where TLanes : struct, ILanes
    {
        ArrayView<TPack> shared = SharedMemory.GetDynamic<TPack>();
        AttentionPlace place = AttentionPlace.Find<TLanes>(tiles, heads, headsPerGroup);
        int headPacks = THead.Packs * TLanes.Count, part = heads * headPacks, column = place.FirstHead * headPacks;
        int stride = THead.Packs * place.Width, gradients = queriesPerTile * stride;
        int own = place.Row * 3 * part + place.Head * headPacks + place.Lane;
        THead k = THead.Load(qkv, own + part, TLanes.Count), v = THead.Load(qkv, own + 2 * part, TLanes.Count);
        THead dk = THead.Zero, dv = THead.Zero;

        int behind = AttentionPlace.Min(place.End, place.LastRow + window);
        for (int low = place.FirstRow; low < behind; low += queriesPerTile)
        {
            int count = AttentionPlace.Min(queriesPerTile, behind - low);
            Group.Barrier();
            HeadTile.Fill<T, THead, TPack, TLanes>(qkv, 3 * part, column, low, count, place, shared, 0);
            HeadTile.Fill<T, THead, TPack, TLanes>(outputGradient, part, column, low, count, place, shared, gradients);
            Group.Barrier();
            // No rounds where the threads own no row.
            int end = place.LastTogether < place.FirstTogether ? low : AttentionPlace.Min(low + count, place.LastTogether + window);
            for (int i = AttentionPlace.Max(low, place.FirstTogether); i < end; i++)
            {
                int at = (i - low) * stride + place.Slot, statistic = i * heads + place.Head;
                THead q = THead.Load(shared, at, place.Width), g = THead.Load(shared, at + gradients, place.Width);
                T p = TReal.Exp(scale * TLanes.Sum(THead.Dot(q, k)) - greatest[statistic]) * inverse[statistic];
                T ds = p * (TLanes.Sum(THead.Dot(g, v)) - delta[statistic]);
                // Threads that walk together pass queries that do not see the keys of all.
                bool hidden = TLanes.Count > 1 && (i < place.Row || i >= place.Row + window);
                dv = THead.Add(dv, hidden ? T.Zero : p, g);
                dk = THead.Add(dk, hidden ? T.Zero : ds, q);
            }
        }

        if (!place.Active) return;
        THead.Store(gradient, own + part, TLanes.Count, THead.Scale(scale, dk));
        THead.Store(gradient, own + 2 * part, TLanes.Count, dv);
    }
}
