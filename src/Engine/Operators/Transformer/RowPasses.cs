using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// What a layer does between its products, on rows of h or n numbers, multiples of a vector's: norms with the bias and residual beside them,
/// and GELU with its bias. Sums over rows are added to their targets in the rows' order.
/// </summary>
internal static unsafe class RowPasses<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const double Log2Slope = -2.302208198144325; // -2 sqrt(2/pi) log2 e: 1 + tanh z = 2 / (1 + 2^(-2 z log2 e))

    private const double Slope = 0.7978845608028654; // sqrt(2/pi)

    private const double Cubic = 0.044715;

    /// <summary>y = norm(x) weight + bias, and next = x + residual bias.</summary>
    /// <param name="rows">Of x.</param>
    /// <param name="h">Their width.</param>
    /// <param name="x">(rows, h)</param>
    /// <param name="norm">Weight and bias (h) each, epsilon.</param>
    /// <param name="residualBias">(h)</param>
    /// <param name="next">(rows, h), written; may be x. null: not wanted.</param>
    /// <param name="normalized">(rows, h), written; null: not wanted.</param>
    /// <param name="y">(rows, h), written.</param>
    /// <param name="mean">(rows), written; null: not wanted.</param>
    /// <param name="reciprocal">(rows), written: 1 / sqrt(variance + epsilon).</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Norm(int rows, int h, T* x, in NormWeights<T> norm, T* residualBias, T* next, T* normalized, T* y, T* mean, T* reciprocal)
    {
        int lanes = TLanes.Count, r = 0;
        T share = T.One / T.CreateChecked(h);
        // Four rows at a time: the sum over one row's lanes waits for itself.
        for (; r + 4 <= rows; r += 4, x += 4 * h, y += 4 * h)
        {
            T* x1 = x + h, x2 = x1 + h, x3 = x2 + h;
            TLanes s0 = TLanes.Load(x), s1 = TLanes.Load(x1), s2 = TLanes.Load(x2), s3 = TLanes.Load(x3);
            for (int c = lanes; c < h; c += lanes)
            {
                (s0, s1) = (TLanes.Add(s0, TLanes.Load(x + c)), TLanes.Add(s1, TLanes.Load(x1 + c)));
                (s2, s3) = (TLanes.Add(s2, TLanes.Load(x2 + c)), TLanes.Add(s3, TLanes.Load(x3 + c)));
            }
            T m0 = TLanes.Sum(s0) * share, m1 = TLanes.Sum(s1) * share, m2 = TLanes.Sum(s2) * share, m3 = TLanes.Sum(s3) * share;
            TLanes c0 = TLanes.All(m0), c1 = TLanes.All(m1), c2 = TLanes.All(m2), c3 = TLanes.All(m3);
            s0 = s1 = s2 = s3 = TLanes.Zero;
            for (int c = 0; c < h; c += lanes)
            {
                TLanes v0 = TLanes.Subtract(TLanes.Load(x + c), c0), v1 = TLanes.Subtract(TLanes.Load(x1 + c), c1);
                TLanes v2 = TLanes.Subtract(TLanes.Load(x2 + c), c2), v3 = TLanes.Subtract(TLanes.Load(x3 + c), c3);
                (s0, s1, s2, s3) = (TLanes.Fma(v0, v0, s0), TLanes.Fma(v1, v1, s1), TLanes.Fma(v2, v2, s2), TLanes.Fma(v3, v3, s3));
            }
            T b0 = T.One / T.Sqrt(TLanes.Sum(s0) * share + norm.Epsilon), b1 = T.One / T.Sqrt(TLanes.Sum(s1) * share + norm.Epsilon);
            T b2 = T.One / T.Sqrt(TLanes.Sum(s2) * share + norm.Epsilon), b3 = T.One / T.Sqrt(TLanes.Sum(s3) * share + norm.Epsilon);
            (reciprocal[r], reciprocal[r + 1], reciprocal[r + 2], reciprocal[r + 3]) = (b0, b1, b2, b3);
            if (mean != null) (mean[r], mean[r + 1], mean[r + 2], mean[r + 3]) = (m0, m1, m2, m3);
            Finish(h, x, c0, TLanes.All(b0), norm, residualBias, ref next, ref normalized, y);
            Finish(h, x1, c1, TLanes.All(b1), norm, residualBias, ref next, ref normalized, y + h);
            Finish(h, x2, c2, TLanes.All(b2), norm, residualBias, ref next, ref normalized, y + 2 * h);
            Finish(h, x3, c3, TLanes.All(b3), norm, residualBias, ref next, ref normalized, y + 3 * h);
        }
        for (; r < rows; r++, x += h, y += h)
        {
            TLanes sum = TLanes.Load(x), square = TLanes.Zero;
            for (int c = lanes; c < h; c += lanes) sum = TLanes.Add(sum, TLanes.Load(x + c));
            T m = TLanes.Sum(sum) * share;
            TLanes center = TLanes.All(m);
            for (int c = 0; c < h; c += lanes)
            {
                TLanes v = TLanes.Subtract(TLanes.Load(x + c), center);
                square = TLanes.Fma(v, v, square);
            }
            reciprocal[r] = T.One / T.Sqrt(TLanes.Sum(square) * share + norm.Epsilon);
            if (mean != null) mean[r] = m;
            Finish(h, x, center, TLanes.All(reciprocal[r]), norm, residualBias, ref next, ref normalized, y);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(int h, T* x, TLanes center, TLanes by, in NormWeights<T> norm, T* residualBias, ref T* next, ref T* normalized, T* y)
    {
        T* weight = norm.Weight, bias = norm.Bias, copy = normalized, after = next;
        for (int c = 0; c < h; c += TLanes.Count)
        {
            TLanes v = TLanes.Load(x + c), n = TLanes.Multiply(TLanes.Subtract(v, center), by);
            if (copy != null) TLanes.Store(copy + c, n);
            TLanes.Store(y + c, TLanes.Fma(n, TLanes.Load(weight + c), TLanes.Load(bias + c)));
            if (after != null) TLanes.Store(after + c, TLanes.Add(v, TLanes.Load(residualBias + c)));
        }
        if (copy != null) normalized += h;
        if (after != null) next += h;
    }

    /// <summary>Once more what <see cref="Norm"/> gave: normalized rows and y.</summary>
    /// <param name="rows">Of x.</param>
    /// <param name="h">Their width.</param>
    /// <param name="x">(rows, h); normalized already where <paramref name="mean"/> is null.</param>
    /// <param name="mean">(rows)</param>
    /// <param name="reciprocal">(rows)</param>
    /// <param name="norm">Weight and bias.</param>
    /// <param name="normalized">(rows, h), written; null: not wanted.</param>
    /// <param name="y">(rows, h), written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormAgain(int rows, int h, T* x, T* mean, T* reciprocal, in NormWeights<T> norm, T* normalized, T* y)
    {
        int lanes = TLanes.Count;
        for (int r = 0; r < rows; r++, x += h, y += h)
        {
            TLanes center = mean == null ? TLanes.Zero : TLanes.All(mean[r]), by = mean == null ? TLanes.All(T.One) : TLanes.All(reciprocal[r]);
            for (int c = 0; c < h; c += lanes)
            {
                TLanes n = TLanes.Multiply(TLanes.Subtract(TLanes.Load(x + c), center), by);
                if (normalized != null) TLanes.Store(normalized + c, n);
                TLanes.Store(y + c, TLanes.Fma(n, TLanes.Load(norm.Weight + c), TLanes.Load(norm.Bias + c)));
            }
            if (normalized != null) normalized += h;
        }
    }

    /// <summary>dx (+)= dS/dx of a norm, given dS/dy.</summary>
    /// <param name="rows">Of x.</param>
    /// <param name="h">Their width.</param>
    /// <param name="byY">(rows, h)</param>
    /// <param name="normalized">(rows, h)</param>
    /// <param name="reciprocal">(rows)</param>
    /// <param name="weight">(h)</param>
    /// <param name="passed">(rows, h): what goes past the norm on the residual, added; null: nothing.</param>
    /// <param name="byX">(rows, h), written; may be <paramref name="passed"/>.</param>
    /// <param name="byWeight">(h), added to.</param>
    /// <param name="byBias">(h), added to.</param>
    /// <param name="sums">(h), the columns of <paramref name="byX"/> added to it; null: not wanted.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormBackward(
        int rows, int h, T* byY, T* normalized, T* reciprocal, T* weight, T* passed, T* byX, T* byWeight, T* byBias, T* sums = null)
    {
        int lanes = TLanes.Count, r = 0;
        T share = T.One / T.CreateChecked(h);
        for (; r + 4 <= rows; r += 4, byY += 4 * h, normalized += 4 * h, byX += 4 * h)
        {
            T* y1 = byY + h, y2 = y1 + h, y3 = y2 + h, n1 = normalized + h, n2 = n1 + h, n3 = n2 + h;
            TLanes s0 = TLanes.Zero, s1 = s0, s2 = s0, s3 = s0, d0 = s0, d1 = s0, d2 = s0, d3 = s0;
            for (int c = 0; c < h; c += lanes)
            {
                TLanes w = TLanes.Load(weight + c), ofWeight = TLanes.Load(byWeight + c), ofBias = TLanes.Load(byBias + c);
                TLanes g0 = TLanes.Load(byY + c), g1 = TLanes.Load(y1 + c), g2 = TLanes.Load(y2 + c), g3 = TLanes.Load(y3 + c);
                TLanes v0 = TLanes.Load(normalized + c), v1 = TLanes.Load(n1 + c), v2 = TLanes.Load(n2 + c), v3 = TLanes.Load(n3 + c);
                TLanes.Store(byWeight + c, TLanes.Fma(g3, v3, TLanes.Fma(g2, v2, TLanes.Fma(g1, v1, TLanes.Fma(g0, v0, ofWeight)))));
                TLanes.Store(byBias + c, TLanes.Add(g3, TLanes.Add(g2, TLanes.Add(g1, TLanes.Add(g0, ofBias)))));
                (g0, g1, g2, g3) = (TLanes.Multiply(g0, w), TLanes.Multiply(g1, w), TLanes.Multiply(g2, w), TLanes.Multiply(g3, w));
                (s0, s1, s2, s3) = (TLanes.Add(s0, g0), TLanes.Add(s1, g1), TLanes.Add(s2, g2), TLanes.Add(s3, g3));
                (d0, d1, d2, d3) = (TLanes.Fma(g0, v0, d0), TLanes.Fma(g1, v1, d1), TLanes.Fma(g2, v2, d2), TLanes.Fma(g3, v3, d3));
            }
            Pass(h, byY, normalized, weight, TLanes.Sum(s0) * share, TLanes.Sum(d0) * share, reciprocal[r], ref passed, byX, sums);
            Pass(h, y1, n1, weight, TLanes.Sum(s1) * share, TLanes.Sum(d1) * share, reciprocal[r + 1], ref passed, byX + h, sums);
            Pass(h, y2, n2, weight, TLanes.Sum(s2) * share, TLanes.Sum(d2) * share, reciprocal[r + 2], ref passed, byX + 2 * h, sums);
            Pass(h, y3, n3, weight, TLanes.Sum(s3) * share, TLanes.Sum(d3) * share, reciprocal[r + 3], ref passed, byX + 3 * h, sums);
        }
        for (; r < rows; r++, byY += h, normalized += h, byX += h)
        {
            TLanes sum = TLanes.Zero, dot = TLanes.Zero;
            for (int c = 0; c < h; c += lanes)
            {
                TLanes g = TLanes.Load(byY + c), n = TLanes.Load(normalized + c), w = TLanes.Multiply(g, TLanes.Load(weight + c));
                TLanes.Store(byWeight + c, TLanes.Fma(g, n, TLanes.Load(byWeight + c)));
                TLanes.Store(byBias + c, TLanes.Add(g, TLanes.Load(byBias + c)));
                sum = TLanes.Add(sum, w);
                dot = TLanes.Fma(w, n, dot);
            }
            Pass(h, byY, normalized, weight, TLanes.Sum(sum) * share, TLanes.Sum(dot) * share, reciprocal[r], ref passed, byX, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pass(int h, T* byY, T* normalized, T* weight, T mean, T slope, T reciprocal, ref T* passed, T* byX, T* sums)
    {
        TLanes center = TLanes.All(mean), along = TLanes.All(-slope), by = TLanes.All(reciprocal);
        T* past = passed;
        for (int c = 0; c < h; c += TLanes.Count)
        {
            TLanes w = TLanes.Subtract(TLanes.Multiply(TLanes.Load(byY + c), TLanes.Load(weight + c)), center);
            w = TLanes.Fma(along, TLanes.Load(normalized + c), w);
            w = past == null ? TLanes.Multiply(w, by) : TLanes.Fma(w, by, TLanes.Load(past + c));
            TLanes.Store(byX + c, w);
            if (sums != null) TLanes.Store(sums + c, TLanes.Add(TLanes.Load(sums + c), w));
        }
        if (past != null) passed += h;
    }

    /// <summary>sums += rows of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRows(int rows, int h, T* x, T* sums)
    {
        int lanes = TLanes.Count;
        for (int c = 0; c < h; c += lanes)
        {
            TLanes sum = TLanes.Load(sums + c);
            T* at = x + c;
            for (int r = 0; r < rows; r++, at += h) sum = TLanes.Add(sum, TLanes.Load(at));
            TLanes.Store(sums + c, sum);
        }
    }

    /// <summary>Sums over shares, each <paramref name="stride"/> numbers after the other, in their order; then added to what is there, or put there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddShares(T* of, T* to, long count, long stride, int shares, bool add = false)
    {
        long whole = count - count % TLanes.Count;
        for (long c = 0; c < whole; c += TLanes.Count)
        {
            TLanes sum = TLanes.Load(of + c);
            for (int share = 1; share < shares; share++) sum = TLanes.Add(sum, TLanes.Load(of + share * stride + c));
            TLanes.Store(to + c, add ? TLanes.Add(TLanes.Load(to + c), sum) : sum);
        }
        for (long c = whole; c < count; c++)
        {
            T sum = of[c];
            for (int share = 1; share < shares; share++) sum += of[share * stride + c];
            to[c] = add ? to[c] + sum : sum;
        }
    }

    /// <summary>y = gelu(u + bias), in its tanh form (Hendrycks and Gimpel 2016).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gelu(int rows, int n, T* u, T* bias, T* y)
    {
        int lanes = TLanes.Count;
        for (int r = 0; r < rows; r++, u += n, y += n)
        {
            int c = 0;
            for (; c + 4 * lanes <= n; c += 4 * lanes)
            {
                T* at = u + c, add = bias + c, to = y + c;
                TLanes x0 = TLanes.Add(TLanes.Load(at), TLanes.Load(add)), x1 = TLanes.Add(TLanes.Load(at + lanes), TLanes.Load(add + lanes));
                TLanes x2 = TLanes.Add(TLanes.Load(at + 2 * lanes), TLanes.Load(add + 2 * lanes)), x3 = TLanes.Add(TLanes.Load(at + 3 * lanes), TLanes.Load(add + 3 * lanes));
                TLanes s0 = Power(x0, TLanes.Multiply(x0, x0)), s1 = Power(x1, TLanes.Multiply(x1, x1));
                TLanes s2 = Power(x2, TLanes.Multiply(x2, x2)), s3 = Power(x3, TLanes.Multiply(x3, x3));
                TLanes.Exp2(ref s0, ref s1, ref s2, ref s3);
                TLanes.Store(to, TLanes.Multiply(x0, Gate(s0)));
                TLanes.Store(to + lanes, TLanes.Multiply(x1, Gate(s1)));
                TLanes.Store(to + 2 * lanes, TLanes.Multiply(x2, Gate(s2)));
                TLanes.Store(to + 3 * lanes, TLanes.Multiply(x3, Gate(s3)));
            }
            for (; c < n; c += lanes)
            {
                TLanes x = TLanes.Add(TLanes.Load(u + c), TLanes.Load(bias + c));
                TLanes.Store(y + c, TLanes.Multiply(x, Gate(TLanes.Exp2(Power(x, TLanes.Multiply(x, x))))));
            }
        }
    }

    /// <summary>Once more y = gelu(u + bias), and gradient *= dy/du; its sums over rows are added to <paramref name="byBias"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void GeluBackward(int rows, int n, T* u, T* bias, T* gradient, T* y, T* byBias)
    {
        int lanes = TLanes.Count;
        for (int r = 0; r < rows; r++, u += n, y += n, gradient += n)
        {
            int c = 0;
            for (; c + 4 * lanes <= n; c += 4 * lanes)
            {
                T* at = u + c, add = bias + c;
                TLanes x0 = TLanes.Add(TLanes.Load(at), TLanes.Load(add)), x1 = TLanes.Add(TLanes.Load(at + lanes), TLanes.Load(add + lanes));
                TLanes x2 = TLanes.Add(TLanes.Load(at + 2 * lanes), TLanes.Load(add + 2 * lanes)), x3 = TLanes.Add(TLanes.Load(at + 3 * lanes), TLanes.Load(add + 3 * lanes));
                TLanes q0 = TLanes.Multiply(x0, x0), q1 = TLanes.Multiply(x1, x1), q2 = TLanes.Multiply(x2, x2), q3 = TLanes.Multiply(x3, x3);
                TLanes s0 = Power(x0, q0), s1 = Power(x1, q1), s2 = Power(x2, q2), s3 = Power(x3, q3);
                TLanes.Exp2(ref s0, ref s1, ref s2, ref s3);
                Bend(x0, q0, Gate(s0), gradient + c, y + c, byBias + c);
                Bend(x1, q1, Gate(s1), gradient + c + lanes, y + c + lanes, byBias + c + lanes);
                Bend(x2, q2, Gate(s2), gradient + c + 2 * lanes, y + c + 2 * lanes, byBias + c + 2 * lanes);
                Bend(x3, q3, Gate(s3), gradient + c + 3 * lanes, y + c + 3 * lanes, byBias + c + 3 * lanes);
            }
            for (; c < n; c += lanes)
            {
                TLanes x = TLanes.Add(TLanes.Load(u + c), TLanes.Load(bias + c)), square = TLanes.Multiply(x, x);
                Bend(x, square, Gate(TLanes.Exp2(Power(x, square))), gradient + c, y + c, byBias + c);
            }
        }
    }

    /// <summary>d(x s)/dx = s + x s (1 - s) d(2 z)/dx</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Bend(TLanes x, TLanes square, TLanes s, T* gradient, T* y, T* byBias)
    {
        TLanes value = TLanes.Multiply(x, s), bend = TLanes.Multiply(value, TLanes.Subtract(TLanes.All(T.One), s));
        TLanes steep = TLanes.Fma(TLanes.All(T.CreateChecked(6 * Slope * Cubic)), square, TLanes.All(T.CreateChecked(2 * Slope)));
        TLanes d = TLanes.Multiply(TLanes.Fma(bend, steep, s), TLanes.Load(gradient));
        TLanes.Store(y, value);
        TLanes.Store(gradient, d);
        TLanes.Store(byBias, TLanes.Add(TLanes.Load(byBias), d));
    }

    /// <summary>-2 z log2 e, with z = sqrt(2/pi) (x + 0.044715 x^3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Power(TLanes x, TLanes square)
    {
        TLanes power = TLanes.Multiply(x, TLanes.Fma(TLanes.All(T.CreateChecked(Log2Slope * Cubic)), square, TLanes.All(T.CreateChecked(Log2Slope))));
        return TLanes.Min(power, TLanes.All(T.CreateChecked(100)));
    }

    /// <summary>(1 + tanh z) / 2 = 1 / (1 + e^(-2 z))</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Gate(TLanes exponential) => TLanes.Reciprocal(TLanes.Add(TLanes.All(T.One), exponential));
}

/// <summary>A layer norm's parameters.</summary>
internal readonly unsafe struct NormWeights<T>(T* weight, T* bias, T epsilon)
    where T : unmanaged
{
    public T* Weight { get; } = weight;

    public T* Bias { get; } = bias;

    public T Epsilon { get; } = epsilon;
}
