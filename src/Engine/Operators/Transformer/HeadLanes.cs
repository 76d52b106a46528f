using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// Causal attention of one molecule and of as many heads as there are lanes, a lane each: a token's query, key, value or output is d vectors,
/// component by component. Four queries share each key and value; the one to three that are left over come first, where there is little to see.
/// </summary>
internal static unsafe class HeadLanes<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Queries = QueryProducts<TLanes, T>.Count;

    private static readonly T BinaryLog = T.CreateChecked(1.4426950408889634); // log2 e

    // Far below every score, and finite.
    private static readonly T Hidden = T.CreateChecked(-1e30);

    /// <summary>Numbers that either pass needs for itself: scores and their gradients of four queries, or shifts and totals behind the scores.</summary>
    public static long Scratch(int longest) => 2L * Queries * (longest + 1) * TLanes.Count;

    /// <summary>Outputs, and log2 sum_j exp(scale q . k_j).</summary>
    /// <param name="molecule">Its numbers.</param>
    /// <param name="at">Where its first token lies; outputs and sums are written.</param>
    /// <param name="scratch">See <see cref="Scratch"/>.</param>
    public static void Forward(in HeadShape molecule, in HeadRows<T> at, T* scratch)
    {
        int rest = molecule.Length % Queries;
        for (int i = 0; i < rest; i++) Forward1(molecule, at, i, scratch);
        for (int first = rest; first < molecule.Length; first += Queries) Forward4(molecule, at, first, scratch);
    }

    /// <summary>Gradients by q, k and v from that by the output.</summary>
    /// <param name="molecule">Its numbers.</param>
    /// <param name="at">Where its first token lies, as the forward pass left it.</param>
    /// <param name="up">The gradient by the output, with its stride.</param>
    /// <param name="by">Gradients by q, k, v, each <paramref name="part"/> elements after the other, written; strides as theirs.</param>
    /// <param name="part">See <paramref name="by"/>.</param>
    /// <param name="scratch">See <see cref="Scratch"/>.</param>
    public static void Backward(in HeadShape molecule, in HeadRows<T> at, T* up, T* by, long part, T* scratch)
    {
        int rest = molecule.Length % Queries, numbers = molecule.HeadWidth * TLanes.Count;
        T* byKey = by + part, byValue = byKey + part;
        for (int j = 0; j < molecule.Length; j++, byKey += at.Stride, byValue += at.Stride)
        {
            new Span<T>(byKey, numbers).Clear();
            new Span<T>(byValue, numbers).Clear();
        }
        for (int i = 0; i < rest; i++) Backward1(molecule, at, i, up + i * at.OutputStride, by, part, scratch);
        for (int first = rest; first < molecule.Length; first += Queries) Backward4(molecule, at, first, up + first * at.OutputStride, by, part, scratch);
    }

    private static void Forward4(in HeadShape molecule, in HeadRows<T> at, int first, T* scores)
    {
        int l = TLanes.Count, d = molecule.HeadWidth, low = molecule.FirstSeen(first), seen = first + Queries - low;
        TLanes scale = TLanes.All(T.CreateChecked(molecule.Scale) * BinaryLog);
        T* output = at.Output + first * at.OutputStride;
        QueryProducts<TLanes, T>.Dot(at.Query + first * at.Stride, at.Stride, at.Key + low * at.Stride, at.Stride, seen, d, scores);
        Hide(molecule, first, low, seen, scores);
        T* shifts = scores + (long)Queries * seen * l, totals = shifts + Queries * l;
        Exponentials(scores, seen, scale, shifts, totals);
        QueryProducts<TLanes, T>.WeightedSum(scores, at.Value + low * at.Stride, at.Stride, seen, d, output, at.OutputStride);
        for (int r = 0; r < Queries; r++)
            Finish(output + r * at.OutputStride, d, TLanes.Load(totals + r * l), TLanes.Load(shifts + r * l), at.LogSum + (first + r) * at.LogStride);
    }

    /// <summary>Scores of four queries become 2^(scale score - shift), shift the greatest of a query's; their sums are its total.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Exponentials(T* scores, int count, TLanes scale, T* shifts, T* totals)
    {
        int l = TLanes.Count;
        T* s = scores;
        TLanes m0 = TLanes.Load(s), m1 = TLanes.Load(s + l), m2 = TLanes.Load(s + 2 * l), m3 = TLanes.Load(s + 3 * l);
        for (int j = 1; j < count; j++)
        {
            s += 4 * l;
            (m0, m1) = (TLanes.Max(m0, TLanes.Load(s)), TLanes.Max(m1, TLanes.Load(s + l)));
            (m2, m3) = (TLanes.Max(m2, TLanes.Load(s + 2 * l)), TLanes.Max(m3, TLanes.Load(s + 3 * l)));
        }
        (m0, m1, m2, m3) = (TLanes.Multiply(m0, scale), TLanes.Multiply(m1, scale), TLanes.Multiply(m2, scale), TLanes.Multiply(m3, scale));
        Put(shifts, m0, m1, m2, m3);
        TLanes t0 = TLanes.Zero, t1 = t0, t2 = t0, t3 = t0;
        s = scores;
        for (int j = 0; j < count; j++, s += 4 * l)
        {
            TLanes e0 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(s), scale), m0), e1 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(s + l), scale), m1);
            TLanes e2 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(s + 2 * l), scale), m2), e3 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(s + 3 * l), scale), m3);
            TLanes.Exp2(ref e0, ref e1, ref e2, ref e3);
            (t0, t1, t2, t3) = (TLanes.Add(t0, e0), TLanes.Add(t1, e1), TLanes.Add(t2, e2), TLanes.Add(t3, e3));
            Put(s, e0, e1, e2, e3);
        }
        Put(totals, t0, t1, t2, t3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* to, TLanes a, TLanes b, TLanes c, TLanes d)
    {
        TLanes.Store(to, a);
        TLanes.Store(to + TLanes.Count, b);
        TLanes.Store(to + 2 * TLanes.Count, c);
        TLanes.Store(to + 3 * TLanes.Count, d);
    }

    /// <summary>One of the first three tokens.</summary>
    private static void Forward1(in HeadShape molecule, in HeadRows<T> at, int i, T* scores)
    {
        int l = TLanes.Count, d = molecule.HeadWidth, low = molecule.FirstSeen(i), seen = i + 1 - low;
        TLanes scale = TLanes.All(T.CreateChecked(molecule.Scale) * BinaryLog), total = TLanes.Zero;
        TLanes greatest = LaneProducts<TLanes, T>.Dot(at.Query + i * at.Stride, at.Key + low * at.Stride, at.Stride, seen, d, scores);
        TLanes shift = TLanes.Multiply(greatest, scale);
        for (int j = 0; j < seen * l; j += l)
        {
            TLanes e = TLanes.Exp2(TLanes.Subtract(TLanes.Multiply(TLanes.Load(scores + j), scale), shift));
            total = TLanes.Add(total, e);
            TLanes.Store(scores + j, e);
        }
        T* output = at.Output + i * at.OutputStride;
        LaneProducts<TLanes, T>.WeightedSum(scores, at.Value + low * at.Stride, at.Stride, seen, d, output);
        Finish(output, d, total, shift, at.LogSum + i * at.LogStride);
    }

    private static void Finish(T* output, int d, TLanes total, TLanes shift, T* logSum)
    {
        TLanes reciprocal = TLanes.Reciprocal(total);
        for (int c = 0; c < d * TLanes.Count; c += TLanes.Count) TLanes.Store(output + c, TLanes.Multiply(TLanes.Load(output + c), reciprocal));
        TLanes.Store(logSum, TLanes.Fma(TLanes.Log(total), TLanes.All(BinaryLog), shift));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward4(in HeadShape molecule, in HeadRows<T> at, int first, T* up, T* by, long part, T* weights)
    {
        int l = TLanes.Count, d = molecule.HeadWidth, low = molecule.FirstSeen(first), seen = first + Queries - low;
        long stride = at.Stride, outputStride = at.OutputStride;
        T* q = at.Query + first * stride, key = at.Key + low * stride, value = at.Value + low * stride, output = at.Output + first * outputStride;
        T* slopes = weights + (long)Queries * seen * l, sums = at.LogSum + first * at.LogStride, w = weights, s = slopes;
        QueryProducts<TLanes, T>.Dot(q, stride, key, stride, seen, d, weights);
        Hide(molecule, first, low, seen, weights);
        QueryProducts<TLanes, T>.Dot(up, outputStride, value, stride, seen, d, slopes);
        T factor = T.CreateChecked(molecule.Scale);
        TLanes scale = TLanes.All(factor), binary = TLanes.All(factor * BinaryLog);
        // sum_c u_c o_c = sum_j p_j dp_j
        TLanes d0 = TLanes.Zero, d1 = d0, d2 = d0, d3 = d0;
        T* u = up, o = output;
        for (int c = 0; c < d; c++, u += l, o += l)
        {
            d0 = TLanes.Fma(TLanes.Load(u), TLanes.Load(o), d0);
            d1 = TLanes.Fma(TLanes.Load(u + outputStride), TLanes.Load(o + outputStride), d1);
            d2 = TLanes.Fma(TLanes.Load(u + 2 * outputStride), TLanes.Load(o + 2 * outputStride), d2);
            d3 = TLanes.Fma(TLanes.Load(u + 3 * outputStride), TLanes.Load(o + 3 * outputStride), d3);
        }
        TLanes s0 = TLanes.Load(sums), s1 = TLanes.Load(sums + at.LogStride), s2 = TLanes.Load(sums + 2 * at.LogStride), s3 = TLanes.Load(sums + 3 * at.LogStride);
        for (int j = 0; j < seen; j++, w += 4 * l, s += 4 * l)
        {
            TLanes p0 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(w), binary), s0), p1 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(w + l), binary), s1);
            TLanes p2 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(w + 2 * l), binary), s2), p3 = TLanes.Subtract(TLanes.Multiply(TLanes.Load(w + 3 * l), binary), s3);
            TLanes.Exp2(ref p0, ref p1, ref p2, ref p3);
            Put(w, p0, p1, p2, p3);
            TLanes.Store(s, TLanes.Multiply(TLanes.Multiply(p0, scale), TLanes.Subtract(TLanes.Load(s), d0)));
            TLanes.Store(s + l, TLanes.Multiply(TLanes.Multiply(p1, scale), TLanes.Subtract(TLanes.Load(s + l), d1)));
            TLanes.Store(s + 2 * l, TLanes.Multiply(TLanes.Multiply(p2, scale), TLanes.Subtract(TLanes.Load(s + 2 * l), d2)));
            TLanes.Store(s + 3 * l, TLanes.Multiply(TLanes.Multiply(p3, scale), TLanes.Subtract(TLanes.Load(s + 3 * l), d3)));
        }
        QueryProducts<TLanes, T>.WeightedSum(slopes, key, stride, seen, d, by + first * stride, stride);
        QueryProducts<TLanes, T>.AddOuter(slopes, q, stride, by + part + low * stride, stride, seen, d);
        QueryProducts<TLanes, T>.AddOuter(weights, up, outputStride, by + 2 * part + low * stride, stride, seen, d);
    }

    /// <summary>One of the first three tokens.</summary>
    private static void Backward1(in HeadShape molecule, in HeadRows<T> at, int i, T* up, T* by, long part, T* weights)
    {
        int l = TLanes.Count, d = molecule.HeadWidth, low = molecule.FirstSeen(i), seen = i + 1 - low;
        long stride = at.Stride;
        T* q = at.Query + i * stride, key = at.Key + low * stride, output = at.Output + i * at.OutputStride, slopes = weights + seen * l;
        LaneProducts<TLanes, T>.Dot(q, key, stride, seen, d, weights);
        LaneProducts<TLanes, T>.Dot(up, at.Value + low * stride, stride, seen, d, slopes);
        T factor = T.CreateChecked(molecule.Scale);
        TLanes scale = TLanes.All(factor), binary = TLanes.All(factor * BinaryLog), delta = TLanes.Zero, sum = TLanes.Load(at.LogSum + i * at.LogStride);
        for (int c = 0; c < d * l; c += l) delta = TLanes.Fma(TLanes.Load(up + c), TLanes.Load(output + c), delta);
        for (int j = 0; j < seen * l; j += l)
        {
            TLanes p = TLanes.Exp2(TLanes.Subtract(TLanes.Multiply(TLanes.Load(weights + j), binary), sum));
            TLanes.Store(weights + j, p);
            TLanes.Store(slopes + j, TLanes.Multiply(TLanes.Multiply(p, scale), TLanes.Subtract(TLanes.Load(slopes + j), delta)));
        }
        LaneProducts<TLanes, T>.WeightedSum(slopes, key, stride, seen, d, by + i * stride);
        LaneProducts<TLanes, T>.AddOuter(slopes, q, by + part + low * stride, stride, seen, d);
        LaneProducts<TLanes, T>.AddOuter(weights, up, by + 2 * part + low * stride, stride, seen, d);
    }

    /// <summary>What only others of the four queries see.</summary>
    private static void Hide(in HeadShape molecule, int first, int low, int seen, T* scores)
    {
        TLanes hidden = TLanes.All(Hidden);
        for (int r = 0; r < Queries; r++)
        {
            int own = molecule.FirstSeen(first + r) - low, end = first + r + 1 - low;
            for (int j = 0; j < own; j++) TLanes.Store(scores + (j * Queries + r) * TLanes.Count, hidden);
            for (int j = end; j < seen; j++) TLanes.Store(scores + (j * Queries + r) * TLanes.Count, hidden);
        }
    }
}

/// <summary>Where a molecule's first token lies; strides from token to token, in elements.</summary>
/// <param name="query">Keys and values have its stride.</param>
/// <param name="part">From a query to its key, from a key to its value.</param>
/// <param name="stride">Of queries, keys and values.</param>
/// <param name="output">What attention gives.</param>
/// <param name="outputStride">Of it.</param>
/// <param name="logSum">A vector a token.</param>
/// <param name="logStride">Of it.</param>
internal readonly unsafe struct HeadRows<T>(T* query, long part, long stride, T* output, long outputStride, T* logSum, long logStride)
    where T : unmanaged
{
    public T* Query { get; } = query;

    public T* Key { get; } = query + part;

    public T* Value { get; } = query + 2 * part;

    public long Stride { get; } = stride;

    public T* Output { get; } = output;

    public long OutputStride { get; } = outputStride;

    public T* LogSum { get; } = logSum;

    public long LogStride { get; } = logStride;
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
