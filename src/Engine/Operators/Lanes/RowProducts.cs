using System.Numerics;
using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>
/// The two products attention is made of, for one tile of vectors held a lane each ("transposed": component d of all lanes is one
/// vector) against many rows in memory. No horizontal sums, no atomics, fixed order.
/// </summary>
internal static unsafe class RowProducts<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>tile[d][lane] = factor * rows[lane][d]; lanes beyond <paramref name="count"/> are zero.</summary>
    public static void Transpose(T* rows, long stride, int count, int width, T factor, T* tile)
    {
        int lanes = TLanes.Count;
        for (int d = 0; d < width; d++)
            for (int lane = 0; lane < lanes; lane++)
                tile[d * lanes + lane] = lane < count ? factor * rows[lane * stride + d] : T.Zero;
    }

    /// <summary>rows[lane][d] = factor * tile[d][lane] for the first <paramref name="count"/> lanes.</summary>
    public static void Untranspose(T* tile, int count, int width, T factor, T* rows, long stride)
    {
        int lanes = TLanes.Count;
        for (int lane = 0; lane < count; lane++)
            for (int d = 0; d < width; d++)
                rows[lane * stride + d] = factor * tile[d * lanes + lane];
    }

    /// <summary>result[r][lane] = sum_d tile[d][lane] rows[r][d]</summary>
    public static void Dot(T* tile, T* rows, long stride, int count, int width, T* result)
    {
        int lanes = TLanes.Count;
        int r = 0;
        for (; r + 4 <= count; r += 4)
        {
            T* x0 = rows + r * stride, x1 = x0 + stride, x2 = x1 + stride, x3 = x2 + stride;
            TLanes s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero;
            for (int d = 0; d < width; d++)
            {
                TLanes t = TLanes.Load(tile + d * lanes);
                s0 = TLanes.Fma(t, TLanes.All(x0[d]), s0);
                s1 = TLanes.Fma(t, TLanes.All(x1[d]), s1);
                s2 = TLanes.Fma(t, TLanes.All(x2[d]), s2);
                s3 = TLanes.Fma(t, TLanes.All(x3[d]), s3);
            }
            TLanes.Store(result + r * lanes, s0);
            TLanes.Store(result + (r + 1) * lanes, s1);
            TLanes.Store(result + (r + 2) * lanes, s2);
            TLanes.Store(result + (r + 3) * lanes, s3);
        }
        for (; r < count; r++)
        {
            T* x = rows + r * stride;
            TLanes s = TLanes.Zero;
            for (int d = 0; d < width; d++) s = TLanes.Fma(TLanes.Load(tile + d * lanes), TLanes.All(x[d]), s);
            TLanes.Store(result + r * lanes, s);
        }
    }

    /// <summary>result[d][lane] = sum_r weights[r][lane] rows[r][d]</summary>
    public static void WeightedSum(T* weights, T* rows, long stride, int count, int width, T* result)
    {
        int lanes = TLanes.Count;
        int d = 0;
        for (; d + 8 <= width; d += 8) Sum8(weights, rows + d, stride, count, result + d * lanes);
        for (; d < width; d++)
        {
            TLanes sum = TLanes.Zero;
            for (int r = 0; r < count; r++) sum = TLanes.Fma(TLanes.Load(weights + r * lanes), TLanes.All(rows[r * stride + d]), sum);
            TLanes.Store(result + d * lanes, sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum8(T* weights, T* rows, long stride, int count, T* result)
    {
        int lanes = TLanes.Count;
        TLanes s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero;
        TLanes s4 = TLanes.Zero, s5 = TLanes.Zero, s6 = TLanes.Zero, s7 = TLanes.Zero;
        for (int r = 0; r < count; r++, rows += stride)
        {
            TLanes w = TLanes.Load(weights + r * lanes);
            s0 = TLanes.Fma(w, TLanes.All(rows[0]), s0);
            s1 = TLanes.Fma(w, TLanes.All(rows[1]), s1);
            s2 = TLanes.Fma(w, TLanes.All(rows[2]), s2);
            s3 = TLanes.Fma(w, TLanes.All(rows[3]), s3);
            s4 = TLanes.Fma(w, TLanes.All(rows[4]), s4);
            s5 = TLanes.Fma(w, TLanes.All(rows[5]), s5);
            s6 = TLanes.Fma(w, TLanes.All(rows[6]), s6);
            s7 = TLanes.Fma(w, TLanes.All(rows[7]), s7);
        }
        TLanes.Store(result, s0);
        TLanes.Store(result + lanes, s1);
        TLanes.Store(result + 2 * lanes, s2);
        TLanes.Store(result + 3 * lanes, s3);
        TLanes.Store(result + 4 * lanes, s4);
        TLanes.Store(result + 5 * lanes, s5);
        TLanes.Store(result + 6 * lanes, s6);
        TLanes.Store(result + 7 * lanes, s7);
    }
}
