using System.Numerics;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>
/// The products attention is made of when every lane is a head of its own: vectors (width, lanes) against rows (count, width, lanes).
/// </summary>
internal static unsafe class LaneProducts<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>tile[d][lane] = factor * row[lane][d]; lanes beyond <paramref name="count"/> are zero.</summary>
    public static void Gather(T* row, int count, int width, T factor, T* tile)
    {
        int lanes = TLanes.Count;
        for (int d = 0; d < width; d++, tile += lanes)
        {
            T* source = row + d;
            for (int lane = 0; lane < count; lane++, source += width) tile[lane] = factor * *source;
            for (int lane = count; lane < lanes; lane++) tile[lane] = T.Zero;
        }
    }

    /// <summary>row[lane][d] = factor * tile[d][lane] for the first <paramref name="count"/> lanes.</summary>
    public static void Scatter(T* tile, int count, int width, T factor, T* row)
    {
        int lanes = TLanes.Count;
        for (int d = 0; d < width; d++, tile += lanes)
        {
            T* target = row + d;
            for (int lane = 0; lane < count; lane++, target += width) *target = factor * tile[lane];
        }
    }

    /// <summary>result[r][lane] = sum_d vector[d][lane] rows[r][d][lane]</summary>
    public static void Dot(T* vector, T* rows, int count, int width, T* result)
    {
        int lanes = TLanes.Count, stride = width * lanes;
        int r = 0;
        for (; r + 4 <= count; r += 4, rows += 4 * stride, result += 4 * lanes)
        {
            TLanes s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero;
            for (int d = 0; d < stride; d += lanes)
            {
                TLanes v = TLanes.Load(vector + d);
                s0 = TLanes.Fma(v, TLanes.Load(rows + d), s0);
                s1 = TLanes.Fma(v, TLanes.Load(rows + stride + d), s1);
                s2 = TLanes.Fma(v, TLanes.Load(rows + 2 * stride + d), s2);
                s3 = TLanes.Fma(v, TLanes.Load(rows + 3 * stride + d), s3);
            }
            TLanes.Store(result, s0);
            TLanes.Store(result + lanes, s1);
            TLanes.Store(result + 2 * lanes, s2);
            TLanes.Store(result + 3 * lanes, s3);
        }
        for (; r < count; r++, rows += stride, result += lanes)
        {
            TLanes s = TLanes.Zero;
            for (int d = 0; d < stride; d += lanes) s = TLanes.Fma(TLanes.Load(vector + d), TLanes.Load(rows + d), s);
            TLanes.Store(result, s);
        }
    }

    /// <summary>result[d][lane] = sum_r weights[r][lane] rows[r][d][lane]</summary>
    public static void WeightedSum(T* weights, T* rows, int count, int width, T* result)
    {
        int lanes = TLanes.Count, stride = width * lanes;
        int d = 0;
        for (; d + 4 <= width; d += 4, rows += 4 * lanes, result += 4 * lanes)
        {
            TLanes s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero;
            T* row = rows;
            for (int r = 0; r < count; r++, row += stride)
            {
                TLanes w = TLanes.Load(weights + r * lanes);
                s0 = TLanes.Fma(w, TLanes.Load(row), s0);
                s1 = TLanes.Fma(w, TLanes.Load(row + lanes), s1);
                s2 = TLanes.Fma(w, TLanes.Load(row + 2 * lanes), s2);
                s3 = TLanes.Fma(w, TLanes.Load(row + 3 * lanes), s3);
            }
            TLanes.Store(result, s0);
            TLanes.Store(result + lanes, s1);
            TLanes.Store(result + 2 * lanes, s2);
            TLanes.Store(result + 3 * lanes, s3);
        }
        for (; d < width; d++, rows += lanes, result += lanes)
        {
            TLanes sum = TLanes.Zero;
            for (int r = 0; r < count; r++) sum = TLanes.Fma(TLanes.Load(weights + r * lanes), TLanes.Load(rows + r * stride), sum);
            TLanes.Store(result, sum);
        }
    }

    /// <summary>rows[r][d][lane] += weights[r][lane] vector[d][lane]</summary>
    public static void AddOuter(T* weights, T* vector, int count, int width, T* rows)
    {
        int lanes = TLanes.Count, stride = width * lanes;
        for (int r = 0; r < count; r++, rows += stride)
        {
            TLanes w = TLanes.Load(weights + r * lanes);
            for (int d = 0; d < stride; d += lanes) TLanes.Store(rows + d, TLanes.Fma(w, TLanes.Load(vector + d), TLanes.Load(rows + d)));
        }
    }
}
