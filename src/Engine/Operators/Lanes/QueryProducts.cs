using System.Numerics;
using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>
/// The products of <see cref="LaneProducts{TLanes,T}"/> for four vectors at once, so that each row is read for all of them: results and weights are
/// (count, 4, lanes), the vectors' in turn. Components go through in fours, twos and ones, as many sums as registers hold.
/// </summary>
internal static unsafe class QueryProducts<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Vectors.</summary>
    public const int Count = 4;

    /// <summary>result[r][i][lane] = sum_d vectors[i][d][lane] rows[r][d][lane]</summary>
    /// <param name="vectors">(4, width, lanes)</param>
    /// <param name="vectorStride">From vector to vector.</param>
    /// <param name="rows">(count, width, lanes)</param>
    /// <param name="stride">From row to row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="width">Of a row, in lanes.</param>
    /// <param name="result">(count, 4, lanes), written.</param>
    public static void Dot(T* vectors, long vectorStride, T* rows, long stride, int count, int width, T* result)
    {
        int lanes = TLanes.Count, d = 0;
        for (; d + 4 <= width; d += 4) Dot4(vectors + d * lanes, vectorStride, rows + d * lanes, stride, count, result, add: d > 0);
        if (d + 2 <= width)
        {
            Dot2(vectors + d * lanes, vectorStride, rows + d * lanes, stride, count, result, add: d > 0);
            d += 2;
        }
        if (d < width) Dot1(vectors + d * lanes, vectorStride, rows + d * lanes, stride, count, result, add: d > 0);
    }

    /// <summary>result[i][d][lane] = sum_r weights[r][i][lane] rows[r][d][lane]; arrays as in <see cref="Dot"/>.</summary>
    public static void WeightedSum(T* weights, T* rows, long stride, int count, int width, T* result, long resultStride)
    {
        int lanes = TLanes.Count, d = 0;
        for (; d + 4 <= width; d += 4) WeightedSum4(weights, rows + d * lanes, stride, count, result + d * lanes, resultStride);
        if (d + 2 <= width)
        {
            WeightedSum2(weights, rows + d * lanes, stride, count, result + d * lanes, resultStride);
            d += 2;
        }
        if (d < width) WeightedSum1(weights, rows + d * lanes, stride, count, result + d * lanes, resultStride);
    }

    /// <summary>rows[r][d][lane] += sum_i weights[r][i][lane] vectors[i][d][lane]; arrays as in <see cref="Dot"/>.</summary>
    public static void AddOuter(T* weights, T* vectors, long vectorStride, T* rows, long stride, int count, int width)
    {
        int lanes = TLanes.Count, d = 0;
        for (; d + 4 <= width; d += 4) AddOuter4(weights, vectors + d * lanes, vectorStride, rows + d * lanes, stride, count);
        if (d + 2 <= width)
        {
            AddOuter2(weights, vectors + d * lanes, vectorStride, rows + d * lanes, stride, count);
            d += 2;
        }
        if (d < width) AddOuter1(weights, vectors + d * lanes, vectorStride, rows + d * lanes, stride, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dot4(T* x, long step, T* rows, long stride, int count, T* result, bool add)
    {
        int l = TLanes.Count;
        T* y = x + step, z = y + step, w = z + step;
        TLanes x0 = TLanes.Load(x), x1 = TLanes.Load(x + l), x2 = TLanes.Load(x + 2 * l), x3 = TLanes.Load(x + 3 * l);
        TLanes y0 = TLanes.Load(y), y1 = TLanes.Load(y + l), y2 = TLanes.Load(y + 2 * l), y3 = TLanes.Load(y + 3 * l);
        TLanes z0 = TLanes.Load(z), z1 = TLanes.Load(z + l), z2 = TLanes.Load(z + 2 * l), z3 = TLanes.Load(z + 3 * l);
        TLanes w0 = TLanes.Load(w), w1 = TLanes.Load(w + l), w2 = TLanes.Load(w + 2 * l), w3 = TLanes.Load(w + 3 * l);
        for (int r = 0; r < count; r++, rows += stride, result += 4 * l)
        {
            TLanes k = TLanes.Load(rows), s = TLanes.Multiply(x0, k), t = TLanes.Multiply(y0, k), u = TLanes.Multiply(z0, k), v = TLanes.Multiply(w0, k);
            k = TLanes.Load(rows + l);
            (s, t, u, v) = (TLanes.Fma(x1, k, s), TLanes.Fma(y1, k, t), TLanes.Fma(z1, k, u), TLanes.Fma(w1, k, v));
            k = TLanes.Load(rows + 2 * l);
            (s, t, u, v) = (TLanes.Fma(x2, k, s), TLanes.Fma(y2, k, t), TLanes.Fma(z2, k, u), TLanes.Fma(w2, k, v));
            k = TLanes.Load(rows + 3 * l);
            (s, t, u, v) = (TLanes.Fma(x3, k, s), TLanes.Fma(y3, k, t), TLanes.Fma(z3, k, u), TLanes.Fma(w3, k, v));
            Put(result, add, s, t, u, v);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dot2(T* x, long step, T* rows, long stride, int count, T* result, bool add)
    {
        int l = TLanes.Count;
        T* y = x + step, z = y + step, w = z + step;
        TLanes x0 = TLanes.Load(x), x1 = TLanes.Load(x + l), y0 = TLanes.Load(y), y1 = TLanes.Load(y + l);
        TLanes z0 = TLanes.Load(z), z1 = TLanes.Load(z + l), w0 = TLanes.Load(w), w1 = TLanes.Load(w + l);
        for (int r = 0; r < count; r++, rows += stride, result += 4 * l)
        {
            TLanes k = TLanes.Load(rows), s = TLanes.Multiply(x0, k), t = TLanes.Multiply(y0, k), u = TLanes.Multiply(z0, k), v = TLanes.Multiply(w0, k);
            k = TLanes.Load(rows + l);
            Put(result, add, TLanes.Fma(x1, k, s), TLanes.Fma(y1, k, t), TLanes.Fma(z1, k, u), TLanes.Fma(w1, k, v));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dot1(T* x, long step, T* rows, long stride, int count, T* result, bool add)
    {
        TLanes x0 = TLanes.Load(x), y0 = TLanes.Load(x + step), z0 = TLanes.Load(x + 2 * step), w0 = TLanes.Load(x + 3 * step);
        for (int r = 0; r < count; r++, rows += stride, result += 4 * TLanes.Count)
        {
            TLanes k = TLanes.Load(rows);
            Put(result, add, TLanes.Multiply(x0, k), TLanes.Multiply(y0, k), TLanes.Multiply(z0, k), TLanes.Multiply(w0, k));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* result, bool add, TLanes s, TLanes t, TLanes u, TLanes v)
    {
        int l = TLanes.Count;
        TLanes.Store(result, add ? TLanes.Add(TLanes.Load(result), s) : s);
        TLanes.Store(result + l, add ? TLanes.Add(TLanes.Load(result + l), t) : t);
        TLanes.Store(result + 2 * l, add ? TLanes.Add(TLanes.Load(result + 2 * l), u) : u);
        TLanes.Store(result + 3 * l, add ? TLanes.Add(TLanes.Load(result + 3 * l), v) : v);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum4(T* weights, T* rows, long stride, int count, T* result, long step)
    {
        int l = TLanes.Count;
        TLanes x0 = TLanes.Zero, x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0, z0 = x0, z1 = x0, z2 = x0, z3 = x0, w0 = x0, w1 = x0, w2 = x0, w3 = x0;
        for (int r = 0; r < count; r++, rows += stride, weights += 4 * l)
        {
            TLanes k0 = TLanes.Load(rows), k1 = TLanes.Load(rows + l), k2 = TLanes.Load(rows + 2 * l), k3 = TLanes.Load(rows + 3 * l), s = TLanes.Load(weights);
            (x0, x1, x2, x3) = (TLanes.Fma(s, k0, x0), TLanes.Fma(s, k1, x1), TLanes.Fma(s, k2, x2), TLanes.Fma(s, k3, x3));
            s = TLanes.Load(weights + l);
            (y0, y1, y2, y3) = (TLanes.Fma(s, k0, y0), TLanes.Fma(s, k1, y1), TLanes.Fma(s, k2, y2), TLanes.Fma(s, k3, y3));
            s = TLanes.Load(weights + 2 * l);
            (z0, z1, z2, z3) = (TLanes.Fma(s, k0, z0), TLanes.Fma(s, k1, z1), TLanes.Fma(s, k2, z2), TLanes.Fma(s, k3, z3));
            s = TLanes.Load(weights + 3 * l);
            (w0, w1, w2, w3) = (TLanes.Fma(s, k0, w0), TLanes.Fma(s, k1, w1), TLanes.Fma(s, k2, w2), TLanes.Fma(s, k3, w3));
        }
        Put(result, add: false, x0, x1, x2, x3);
        Put(result + step, add: false, y0, y1, y2, y3);
        Put(result + 2 * step, add: false, z0, z1, z2, z3);
        Put(result + 3 * step, add: false, w0, w1, w2, w3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum2(T* weights, T* rows, long stride, int count, T* result, long step)
    {
        int l = TLanes.Count;
        TLanes x0 = TLanes.Zero, x1 = x0, y0 = x0, y1 = x0, z0 = x0, z1 = x0, w0 = x0, w1 = x0;
        for (int r = 0; r < count; r++, rows += stride, weights += 4 * l)
        {
            TLanes k0 = TLanes.Load(rows), k1 = TLanes.Load(rows + l), s = TLanes.Load(weights), t = TLanes.Load(weights + l);
            (x0, x1, y0, y1) = (TLanes.Fma(s, k0, x0), TLanes.Fma(s, k1, x1), TLanes.Fma(t, k0, y0), TLanes.Fma(t, k1, y1));
            (s, t) = (TLanes.Load(weights + 2 * l), TLanes.Load(weights + 3 * l));
            (z0, z1, w0, w1) = (TLanes.Fma(s, k0, z0), TLanes.Fma(s, k1, z1), TLanes.Fma(t, k0, w0), TLanes.Fma(t, k1, w1));
        }
        TLanes.Store(result, x0);
        TLanes.Store(result + l, x1);
        TLanes.Store(result + step, y0);
        TLanes.Store(result + step + l, y1);
        TLanes.Store(result + 2 * step, z0);
        TLanes.Store(result + 2 * step + l, z1);
        TLanes.Store(result + 3 * step, w0);
        TLanes.Store(result + 3 * step + l, w1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum1(T* weights, T* rows, long stride, int count, T* result, long step)
    {
        int l = TLanes.Count;
        TLanes x = TLanes.Zero, y = x, z = x, w = x;
        for (int r = 0; r < count; r++, rows += stride, weights += 4 * l)
        {
            TLanes k = TLanes.Load(rows);
            (x, y) = (TLanes.Fma(TLanes.Load(weights), k, x), TLanes.Fma(TLanes.Load(weights + l), k, y));
            (z, w) = (TLanes.Fma(TLanes.Load(weights + 2 * l), k, z), TLanes.Fma(TLanes.Load(weights + 3 * l), k, w));
        }
        TLanes.Store(result, x);
        TLanes.Store(result + step, y);
        TLanes.Store(result + 2 * step, z);
        TLanes.Store(result + 3 * step, w);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOuter4(T* weights, T* x, long step, T* rows, long stride, int count)
    {
        int l = TLanes.Count;
        T* y = x + step, z = y + step, w = z + step;
        TLanes x0 = TLanes.Load(x), x1 = TLanes.Load(x + l), x2 = TLanes.Load(x + 2 * l), x3 = TLanes.Load(x + 3 * l);
        TLanes y0 = TLanes.Load(y), y1 = TLanes.Load(y + l), y2 = TLanes.Load(y + 2 * l), y3 = TLanes.Load(y + 3 * l);
        TLanes z0 = TLanes.Load(z), z1 = TLanes.Load(z + l), z2 = TLanes.Load(z + 2 * l), z3 = TLanes.Load(z + 3 * l);
        TLanes w0 = TLanes.Load(w), w1 = TLanes.Load(w + l), w2 = TLanes.Load(w + 2 * l), w3 = TLanes.Load(w + 3 * l);
        for (int r = 0; r < count; r++, rows += stride, weights += 4 * l)
        {
            TLanes s0 = TLanes.Load(rows), s1 = TLanes.Load(rows + l), s2 = TLanes.Load(rows + 2 * l), s3 = TLanes.Load(rows + 3 * l), k = TLanes.Load(weights);
            (s0, s1, s2, s3) = (TLanes.Fma(k, x0, s0), TLanes.Fma(k, x1, s1), TLanes.Fma(k, x2, s2), TLanes.Fma(k, x3, s3));
            k = TLanes.Load(weights + l);
            (s0, s1, s2, s3) = (TLanes.Fma(k, y0, s0), TLanes.Fma(k, y1, s1), TLanes.Fma(k, y2, s2), TLanes.Fma(k, y3, s3));
            k = TLanes.Load(weights + 2 * l);
            (s0, s1, s2, s3) = (TLanes.Fma(k, z0, s0), TLanes.Fma(k, z1, s1), TLanes.Fma(k, z2, s2), TLanes.Fma(k, z3, s3));
            k = TLanes.Load(weights + 3 * l);
            Put(rows, add: false, TLanes.Fma(k, w0, s0), TLanes.Fma(k, w1, s1), TLanes.Fma(k, w2, s2), TLanes.Fma(k, w3, s3));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOuter2(T* weights, T* x, long step, T* rows, long stride, int count)
    {
        int l = TLanes.Count;
        T* y = x + step, z = y + step, w = z + step;
        TLanes x0 = TLanes.Load(x), x1 = TLanes.Load(x + l), y0 = TLanes.Load(y), y1 = TLanes.Load(y + l);
        TLanes z0 = TLanes.Load(z), z1 = TLanes.Load(z + l), w0 = TLanes.Load(w), w1 = TLanes.Load(w + l);
        for (int r = 0; r < count; r++, rows += stride, weights += 4 * l)
        {
            TLanes k = TLanes.Load(weights), m = TLanes.Load(weights + l), s = TLanes.Fma(k, x0, TLanes.Load(rows)), t = TLanes.Fma(k, x1, TLanes.Load(rows + l));
            (s, t) = (TLanes.Fma(m, y0, s), TLanes.Fma(m, y1, t));
            (k, m) = (TLanes.Load(weights + 2 * l), TLanes.Load(weights + 3 * l));
            (s, t) = (TLanes.Fma(k, z0, s), TLanes.Fma(k, z1, t));
            TLanes.Store(rows, TLanes.Fma(m, w0, s));
            TLanes.Store(rows + l, TLanes.Fma(m, w1, t));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOuter1(T* weights, T* x, long step, T* rows, long stride, int count)
    {
        int l = TLanes.Count;
        TLanes x0 = TLanes.Load(x), y0 = TLanes.Load(x + step), z0 = TLanes.Load(x + 2 * step), w0 = TLanes.Load(x + 3 * step);
        for (int r = 0; r < count; r++, rows += stride, weights += 4 * l)
        {
            TLanes s = TLanes.Fma(TLanes.Load(weights + l), y0, TLanes.Fma(TLanes.Load(weights), x0, TLanes.Load(rows)));
            TLanes.Store(rows, TLanes.Fma(TLanes.Load(weights + 3 * l), w0, TLanes.Fma(TLanes.Load(weights + 2 * l), z0, s)));
        }
    }
}
