using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// Causal attention of one molecule and of as many heads as there are lanes, a lane each: a token's query, key, value or output is d vectors,
/// component by component. Nothing of the triangle is computed in vain, nothing is gathered or scattered.
/// </summary>
internal static unsafe class HeadLanes<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Queries that share each key in the backward pass.
    private const int Queries = 4;

    private static readonly T BinaryLog = T.CreateChecked(1.4426950408889634); // log2 e

    /// <summary>Numbers that either pass needs for itself.</summary>
    public static long Scratch(int longest) => 2L * Queries * longest * TLanes.Count;

    /// <param name="molecule">Where it lies.</param>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values; these three with <paramref name="stride"/> from token to token.</param>
    /// <param name="stride">In elements.</param>
    /// <param name="output">Written.</param>
    /// <param name="outputStride">From token to token.</param>
    /// <param name="logSum">Written, a vector a token: log2 sum_j exp(scale q . k_j).</param>
    /// <param name="logStride">From token to token.</param>
    /// <param name="scratch">See <see cref="Scratch"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(
        in HeadShape molecule, T* q, T* k, T* v, long stride, T* output, long outputStride, T* logSum, long logStride, T* scratch)
    {
        int lanes = TLanes.Count, d = molecule.HeadWidth;
        TLanes scale = TLanes.All(T.CreateChecked(molecule.Scale) * BinaryLog);
        for (int i = 0; i < molecule.Length; i++, q += stride, output += outputStride, logSum += logStride)
        {
            int low = molecule.FirstSeen(i), seen = i + 1 - low;
            Dot(q, k + low * stride, stride, seen, d, scratch);
            TLanes greatest = Greatest(scratch, seen);
            TLanes shift = TLanes.Multiply(greatest, scale), total = TLanes.Zero;
            T* value = v + low * stride;
            if (d >= 4)
            {
                TLanes a0 = TLanes.Zero, a1 = a0, a2 = a0, a3 = a0;
                for (int j = 0; j < seen; j++, value += stride)
                {
                    TLanes e = TLanes.Exp2(TLanes.Subtract(TLanes.Multiply(TLanes.Load(scratch + j * lanes), scale), shift));
                    if (d > 4) TLanes.Store(scratch + j * lanes, e);
                    total = TLanes.Add(total, e);
                    a0 = TLanes.Fma(e, TLanes.Load(value), a0);
                    a1 = TLanes.Fma(e, TLanes.Load(value + lanes), a1);
                    a2 = TLanes.Fma(e, TLanes.Load(value + 2 * lanes), a2);
                    a3 = TLanes.Fma(e, TLanes.Load(value + 3 * lanes), a3);
                }
                TLanes.Store(output, a0);
                TLanes.Store(output + lanes, a1);
                TLanes.Store(output + 2 * lanes, a2);
                TLanes.Store(output + 3 * lanes, a3);
                if (d > 4) WeightedSum(scratch, v + low * stride + 4 * lanes, stride, seen, d - 4, output + 4 * lanes);
            }
            else
            {
                for (int j = 0; j < seen; j++)
                {
                    TLanes e = TLanes.Exp2(TLanes.Subtract(TLanes.Multiply(TLanes.Load(scratch + j * lanes), scale), shift));
                    TLanes.Store(scratch + j * lanes, e);
                    total = TLanes.Add(total, e);
                }
                WeightedSum(scratch, value, stride, seen, d, output);
            }
            TLanes reciprocal = TLanes.Reciprocal(total);
            for (int c = 0; c < d * lanes; c += lanes) TLanes.Store(output + c, TLanes.Multiply(TLanes.Load(output + c), reciprocal));
            TLanes.Store(logSum, TLanes.Fma(TLanes.Log(total), TLanes.All(BinaryLog), shift));
        }
    }

    /// <summary>Gradients by q, k and v from that by the output.</summary>
    /// <param name="molecule">Where it lies.</param>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values; these three with <paramref name="stride"/> from token to token.</param>
    /// <param name="stride">In elements.</param>
    /// <param name="output">Of the forward pass; <paramref name="up"/> is the gradient by it, with the same stride.</param>
    /// <param name="up">See <paramref name="output"/>.</param>
    /// <param name="outputStride">From token to token.</param>
    /// <param name="logSum">Of the forward pass.</param>
    /// <param name="logStride">From token to token.</param>
    /// <param name="by">Gradients by q, k, v, each <paramref name="part"/> elements after the other, written; strides as theirs.</param>
    /// <param name="part">See <paramref name="by"/>.</param>
    /// <param name="scratch">See <see cref="Scratch"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(
        in HeadShape molecule, T* q, T* k, T* v, long stride, T* output, T* up, long outputStride, T* logSum, long logStride, T* by, long part, T* scratch)
    {
        int lanes = TLanes.Count, d = molecule.HeadWidth, length = molecule.Length;
        T* byKeys = by + part, byValues = by + 2 * part;
        for (int j = 0; j < length; j++)
        {
            new Span<T>(byKeys + j * stride, d * lanes).Clear();
            new Span<T>(byValues + j * stride, d * lanes).Clear();
        }
        T factor = T.CreateChecked(molecule.Scale);
        TLanes scale = TLanes.All(factor), binary = TLanes.All(factor * BinaryLog);
        for (int first = 0; first < length; first += Queries)
        {
            int count = Math.Min(Queries, length - first), low = molecule.FirstSeen(first), seen = first + count - low;
            long plane = (long)seen * lanes;
            T* keys = k + low * stride, values = v + low * stride;
            for (int r = 0; r < count; r++)
            {
                int i = first + r, own = molecule.FirstSeen(i) - low, end = i + 1 - low;
                T* weights = scratch + 2 * r * plane, slopes = weights + plane;
                T* query = q + i * stride, u = up + i * outputStride, o = output + i * outputStride;
                TLanes delta = TLanes.Zero; // sum_c u_c o_c = sum_j p_j dp_j
                for (int c = 0; c < d * lanes; c += lanes) delta = TLanes.Fma(TLanes.Load(u + c), TLanes.Load(o + c), delta);
                Dot(query, keys + own * stride, stride, end - own, d, weights + own * lanes);
                Dot(u, values + own * stride, stride, end - own, d, slopes + own * lanes);
                TLanes sum = TLanes.Load(logSum + i * logStride);
                for (int j = own * lanes; j < end * lanes; j += lanes)
                {
                    TLanes p = TLanes.Exp2(TLanes.Subtract(TLanes.Multiply(TLanes.Load(weights + j), binary), sum));
                    TLanes.Store(weights + j, p);
                    TLanes.Store(slopes + j, TLanes.Multiply(TLanes.Multiply(p, scale), TLanes.Subtract(TLanes.Load(slopes + j), delta)));
                }
                WeightedSum(slopes + own * lanes, keys + own * stride, stride, end - own, d, by + i * stride);
                if (count < Queries) continue;
                // Keys that another of these queries sees.
                new Span<T>(weights, own * lanes).Clear();
                new Span<T>(slopes, own * lanes).Clear();
                new Span<T>(weights + end * lanes, (seen - end) * lanes).Clear();
                new Span<T>(slopes + end * lanes, (seen - end) * lanes).Clear();
            }
            T* queries = q + first * stride, ups = up + first * outputStride;
            if (count == Queries)
            {
                AddOuter4(scratch + plane, 2 * plane, queries, stride, seen, d, byKeys + low * stride, stride);
                AddOuter4(scratch, 2 * plane, ups, outputStride, seen, d, byValues + low * stride, stride);
                continue;
            }
            for (int r = 0; r < count; r++)
            {
                int own = molecule.FirstSeen(first + r) - low, end = first + r + 1 - low;
                T* weights = scratch + 2 * r * plane + own * lanes, slopes = weights + plane;
                AddOuter(slopes, queries + r * stride, end - own, d, byKeys + (low + own) * stride, stride);
                AddOuter(weights, ups + r * outputStride, end - own, d, byValues + (low + own) * stride, stride);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TLanes Greatest(T* scores, int count)
    {
        int lanes = TLanes.Count, j = 1;
        TLanes a = TLanes.Load(scores), b = a;
        for (; j + 2 <= count; j += 2)
        {
            a = TLanes.Max(a, TLanes.Load(scores + j * lanes));
            b = TLanes.Max(b, TLanes.Load(scores + (j + 1) * lanes));
        }
        if (j < count) a = TLanes.Max(a, TLanes.Load(scores + j * lanes));
        return TLanes.Max(a, b);
    }

    /// <summary>result[r][lane] = sum_c vector[c][lane] rows[r][c][lane]</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dot(T* vector, T* rows, long stride, int count, int d, T* result)
    {
        int lanes = TLanes.Count, c = 0;
        if (d >= 4)
        {
            TLanes x0 = TLanes.Load(vector), x1 = TLanes.Load(vector + lanes), x2 = TLanes.Load(vector + 2 * lanes), x3 = TLanes.Load(vector + 3 * lanes);
            T* row = rows, target = result;
            for (int r = 0; r < count; r++, row += stride, target += lanes)
            {
                TLanes s = TLanes.Multiply(x0, TLanes.Load(row));
                s = TLanes.Fma(x1, TLanes.Load(row + lanes), s);
                s = TLanes.Fma(x2, TLanes.Load(row + 2 * lanes), s);
                TLanes.Store(target, TLanes.Fma(x3, TLanes.Load(row + 3 * lanes), s));
            }
            c = 4;
            for (; c + 4 <= d; c += 4)
            {
                row = rows + c * lanes;
                target = result;
                T* more = vector + c * lanes;
                (x0, x1, x2, x3) = (TLanes.Load(more), TLanes.Load(more + lanes), TLanes.Load(more + 2 * lanes), TLanes.Load(more + 3 * lanes));
                for (int r = 0; r < count; r++, row += stride, target += lanes)
                {
                    TLanes s = TLanes.Fma(x0, TLanes.Load(row), TLanes.Load(target));
                    s = TLanes.Fma(x1, TLanes.Load(row + lanes), s);
                    s = TLanes.Fma(x2, TLanes.Load(row + 2 * lanes), s);
                    TLanes.Store(target, TLanes.Fma(x3, TLanes.Load(row + 3 * lanes), s));
                }
            }
        }
        else if (d >= 2)
        {
            TLanes x0 = TLanes.Load(vector), x1 = TLanes.Load(vector + lanes);
            T* row = rows, target = result;
            for (int r = 0; r < count; r++, row += stride, target += lanes)
                TLanes.Store(target, TLanes.Fma(x1, TLanes.Load(row + lanes), TLanes.Multiply(x0, TLanes.Load(row))));
            c = 2;
        }
        for (; c < d; c++)
        {
            TLanes x = TLanes.Load(vector + c * lanes);
            T* row = rows + c * lanes, target = result;
            for (int r = 0; r < count; r++, row += stride, target += lanes)
                TLanes.Store(target, c == 0 ? TLanes.Multiply(x, TLanes.Load(row)) : TLanes.Fma(x, TLanes.Load(row), TLanes.Load(target)));
        }
    }

    /// <summary>result[c][lane] = sum_r weights[r][lane] rows[r][c][lane]</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum(T* weights, T* rows, long stride, int count, int d, T* result)
    {
        int lanes = TLanes.Count;
        for (; d >= 4; d -= 4, rows += 4 * lanes, result += 4 * lanes)
        {
            TLanes s0 = TLanes.Zero, s1 = s0, s2 = s0, s3 = s0;
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
        for (; d >= 2; d -= 2, rows += 2 * lanes, result += 2 * lanes)
        {
            // Two rows at a time: two chains of sums alone would wait for themselves.
            TLanes s0 = TLanes.Zero, s1 = s0, t0 = s0, t1 = s0;
            T* row = rows;
            int r = 0;
            for (; r + 2 <= count; r += 2, row += 2 * stride)
            {
                TLanes w = TLanes.Load(weights + r * lanes), u = TLanes.Load(weights + (r + 1) * lanes);
                s0 = TLanes.Fma(w, TLanes.Load(row), s0);
                s1 = TLanes.Fma(w, TLanes.Load(row + lanes), s1);
                t0 = TLanes.Fma(u, TLanes.Load(row + stride), t0);
                t1 = TLanes.Fma(u, TLanes.Load(row + stride + lanes), t1);
            }
            if (r < count)
            {
                TLanes w = TLanes.Load(weights + r * lanes);
                s0 = TLanes.Fma(w, TLanes.Load(row), s0);
                s1 = TLanes.Fma(w, TLanes.Load(row + lanes), s1);
            }
            TLanes.Store(result, TLanes.Add(s0, t0));
            TLanes.Store(result + lanes, TLanes.Add(s1, t1));
        }
        if (d == 0) return;
        TLanes sum = TLanes.Zero;
        for (int r = 0; r < count; r++) sum = TLanes.Fma(TLanes.Load(weights + r * lanes), TLanes.Load(rows + r * stride), sum);
        TLanes.Store(result, sum);
    }

    /// <summary>rows[r][c][lane] += weights[r][lane] vector[c][lane]</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOuter(T* weights, T* vector, int count, int d, T* rows, long stride)
    {
        int lanes = TLanes.Count;
        for (int r = 0; r < count; r++, rows += stride)
        {
            TLanes w = TLanes.Load(weights + r * lanes);
            for (int c = 0; c < d * lanes; c += lanes) TLanes.Store(rows + c, TLanes.Fma(w, TLanes.Load(vector + c), TLanes.Load(rows + c)));
        }
    }

    /// <summary>The same of four weights and vectors, one after the other: each row is read and written once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOuter4(T* weights, long plane, T* vectors, long vectorStride, int count, int d, T* rows, long stride)
    {
        int lanes = TLanes.Count;
        T* w0 = weights, w1 = w0 + plane, w2 = w1 + plane, w3 = w2 + plane;
        int c = 0;
        for (; c + 2 <= d; c += 2)
        {
            T* x = vectors + c * lanes, y = x + vectorStride, z = y + vectorStride, u = z + vectorStride, row = rows + c * lanes;
            TLanes x0 = TLanes.Load(x), x1 = TLanes.Load(x + lanes), y0 = TLanes.Load(y), y1 = TLanes.Load(y + lanes);
            TLanes z0 = TLanes.Load(z), z1 = TLanes.Load(z + lanes), u0 = TLanes.Load(u), u1 = TLanes.Load(u + lanes);
            for (int r = 0; r < count * lanes; r += lanes, row += stride)
            {
                TLanes a = TLanes.Load(w0 + r), s = TLanes.Fma(a, x0, TLanes.Load(row)), t = TLanes.Fma(a, x1, TLanes.Load(row + lanes));
                a = TLanes.Load(w1 + r);
                (s, t) = (TLanes.Fma(a, y0, s), TLanes.Fma(a, y1, t));
                a = TLanes.Load(w2 + r);
                (s, t) = (TLanes.Fma(a, z0, s), TLanes.Fma(a, z1, t));
                a = TLanes.Load(w3 + r);
                TLanes.Store(row, TLanes.Fma(a, u0, s));
                TLanes.Store(row + lanes, TLanes.Fma(a, u1, t));
            }
        }
        if (c == d) return;
        T* odd = vectors + c * lanes, last = rows + c * lanes;
        TLanes v0 = TLanes.Load(odd), v1 = TLanes.Load(odd + vectorStride), v2 = TLanes.Load(odd + 2 * vectorStride), v3 = TLanes.Load(odd + 3 * vectorStride);
        for (int r = 0; r < count * lanes; r += lanes, last += stride)
        {
            TLanes s = TLanes.Fma(TLanes.Load(w1 + r), v1, TLanes.Fma(TLanes.Load(w0 + r), v0, TLanes.Load(last)));
            TLanes.Store(last, TLanes.Fma(TLanes.Load(w3 + r), v3, TLanes.Fma(TLanes.Load(w2 + r), v2, s)));
        }
    }
}

/// <summary>One molecule's attention.</summary>
/// <param name="Length">Tokens.</param>
/// <param name="HeadWidth">d</param>
/// <param name="Window">Reach in tokens, the query's own included; 0: unlimited.</param>
/// <param name="Scale">Factor on the scores.</param>
internal readonly record struct HeadShape(int Length, int HeadWidth, int Window, double Scale)
{
    /// <summary>The first token that token <paramref name="i"/> sees.</summary>
    public int FirstSeen(int i) => Window > 0 ? Math.Max(0, i + 1 - Window) : 0;
}
