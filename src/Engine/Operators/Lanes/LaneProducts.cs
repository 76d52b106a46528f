using System.Numerics;
using System.Runtime.CompilerServices;

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

    /// <summary>result[r][lane] = sum_d vector[d][lane] rows[r][d][lane], of which the greatest are returned.</summary>
    /// <param name="vector">(width, lanes)</param>
    /// <param name="rows">(count, width, lanes), count at least one.</param>
    /// <param name="stride">From row to row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="width">Of a row, in vectors.</param>
    /// <param name="result">(count, lanes), written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TLanes Dot(T* vector, T* rows, long stride, int count, int width, T* result)
    {
        int lanes = TLanes.Count, wide = width * lanes, r = 0;
        TLanes greatest = TLanes.All(T.NegativeInfinity);
        for (; r + 4 <= count; r += 4, rows += 4 * stride, result += 4 * lanes)
        {
            T* row1 = rows + stride, row2 = row1 + stride, row3 = row2 + stride;
            TLanes v = TLanes.Load(vector);
            TLanes s0 = TLanes.Multiply(v, TLanes.Load(rows)), s1 = TLanes.Multiply(v, TLanes.Load(row1));
            TLanes s2 = TLanes.Multiply(v, TLanes.Load(row2)), s3 = TLanes.Multiply(v, TLanes.Load(row3));
            for (int c = lanes; c < wide; c += lanes)
            {
                v = TLanes.Load(vector + c);
                (s0, s1) = (TLanes.Fma(v, TLanes.Load(rows + c), s0), TLanes.Fma(v, TLanes.Load(row1 + c), s1));
                (s2, s3) = (TLanes.Fma(v, TLanes.Load(row2 + c), s2), TLanes.Fma(v, TLanes.Load(row3 + c), s3));
            }
            TLanes.Store(result, s0);
            TLanes.Store(result + lanes, s1);
            TLanes.Store(result + 2 * lanes, s2);
            TLanes.Store(result + 3 * lanes, s3);
            greatest = TLanes.Max(TLanes.Max(greatest, s0), TLanes.Max(s1, TLanes.Max(s2, s3)));
        }
        for (; r < count; r++, rows += stride, result += lanes)
        {
            TLanes s = TLanes.Multiply(TLanes.Load(vector), TLanes.Load(rows));
            for (int c = lanes; c < wide; c += lanes) s = TLanes.Fma(TLanes.Load(vector + c), TLanes.Load(rows + c), s);
            TLanes.Store(result, s);
            greatest = TLanes.Max(greatest, s);
        }
        return greatest;
    }

    /// <summary>result[d][lane] = sum_r weights[r][lane] rows[r][d][lane], or result += that; arrays as in <see cref="Dot"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightedSum(T* weights, T* rows, long stride, int count, int width, T* result, bool add = false)
    {
        int lanes = TLanes.Count, d = 0;
        for (; d + 4 <= width; d += 4, rows += 4 * lanes, result += 4 * lanes)
        {
            TLanes s0 = TLanes.Zero, s1 = s0, s2 = s0, s3 = s0;
            if (add) (s0, s1, s2, s3) = (TLanes.Load(result), TLanes.Load(result + lanes), TLanes.Load(result + 2 * lanes), TLanes.Load(result + 3 * lanes));
            T* row = rows;
            for (int r = 0; r < count; r++, row += stride)
            {
                TLanes w = TLanes.Load(weights + r * lanes);
                (s0, s1) = (TLanes.Fma(w, TLanes.Load(row), s0), TLanes.Fma(w, TLanes.Load(row + lanes), s1));
                (s2, s3) = (TLanes.Fma(w, TLanes.Load(row + 2 * lanes), s2), TLanes.Fma(w, TLanes.Load(row + 3 * lanes), s3));
            }
            TLanes.Store(result, s0);
            TLanes.Store(result + lanes, s1);
            TLanes.Store(result + 2 * lanes, s2);
            TLanes.Store(result + 3 * lanes, s3);
        }
        for (; d < width; d++, rows += lanes, result += lanes)
        {
            // Two rows at a time: one chain of sums alone would wait for itself.
            TLanes s = add ? TLanes.Load(result) : TLanes.Zero, t = TLanes.Zero;
            T* row = rows;
            int r = 0;
            for (; r + 2 <= count; r += 2, row += 2 * stride)
            {
                s = TLanes.Fma(TLanes.Load(weights + r * lanes), TLanes.Load(row), s);
                t = TLanes.Fma(TLanes.Load(weights + (r + 1) * lanes), TLanes.Load(row + stride), t);
            }
            if (r < count) s = TLanes.Fma(TLanes.Load(weights + r * lanes), TLanes.Load(row), s);
            TLanes.Store(result, TLanes.Add(s, t));
        }
    }

    /// <summary>rows[r][d][lane] += weights[r][lane] vector[d][lane]; arrays as in <see cref="Dot"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddOuter(T* weights, T* vector, T* rows, long stride, int count, int width)
    {
        int lanes = TLanes.Count, wide = width * lanes;
        for (int r = 0; r < count; r++, rows += stride)
        {
            TLanes w = TLanes.Load(weights + r * lanes);
            for (int c = 0; c < wide; c += lanes) TLanes.Store(rows + c, TLanes.Fma(w, TLanes.Load(vector + c), TLanes.Load(rows + c)));
        }
    }
}
