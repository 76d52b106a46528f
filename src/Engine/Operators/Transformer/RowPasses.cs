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
        int lanes = TLanes.Count;
        T share = T.One / T.CreateChecked(h);
        for (int r = 0; r < rows; r++, x += h, y += h)
        {
            TLanes sum = TLanes.Load(x);
            for (int c = lanes; c < h; c += lanes) sum = TLanes.Add(sum, TLanes.Load(x + c));
            T m = TLanes.Sum(sum) * share;
            TLanes center = TLanes.All(m), square = TLanes.Zero;
            for (int c = 0; c < h; c += lanes)
            {
                TLanes v = TLanes.Subtract(TLanes.Load(x + c), center);
                square = TLanes.Fma(v, v, square);
            }
            T scale = T.One / T.Sqrt(TLanes.Sum(square) * share + norm.Epsilon);
            reciprocal[r] = scale;
            if (mean != null) mean[r] = m;
            TLanes by = TLanes.All(scale);
            for (int c = 0; c < h; c += lanes)
            {
                TLanes v = TLanes.Load(x + c), n = TLanes.Multiply(TLanes.Subtract(v, center), by);
                if (normalized != null) TLanes.Store(normalized + c, n);
                TLanes.Store(y + c, TLanes.Fma(n, TLanes.Load(norm.Weight + c), TLanes.Load(norm.Bias + c)));
                if (next != null) TLanes.Store(next + c, TLanes.Add(v, TLanes.Load(residualBias + c)));
            }
            if (normalized != null) normalized += h;
            if (next != null) next += h;
        }
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormBackward(int rows, int h, T* byY, T* normalized, T* reciprocal, T* weight, T* passed, T* byX, T* byWeight, T* byBias)
    {
        int lanes = TLanes.Count;
        T share = T.One / T.CreateChecked(h);
        for (int r = 0; r < rows; r++, byY += h, normalized += h, byX += h)
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
            TLanes center = TLanes.All(TLanes.Sum(sum) * share), along = TLanes.All(-(TLanes.Sum(dot) * share)), by = TLanes.All(reciprocal[r]);
            for (int c = 0; c < h; c += lanes)
            {
                TLanes w = TLanes.Subtract(TLanes.Multiply(TLanes.Load(byY + c), TLanes.Load(weight + c)), center);
                w = TLanes.Fma(along, TLanes.Load(normalized + c), w);
                TLanes.Store(byX + c, passed == null ? TLanes.Multiply(w, by) : TLanes.Fma(w, by, TLanes.Load(passed + c)));
            }
            if (passed != null) passed += h;
        }
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

    /// <summary>Sums over shares, each <paramref name="stride"/> numbers after the other, in their order; added to what is there, or put there.</summary>
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
            for (int c = 0; c < n; c += lanes)
            {
                TLanes x = TLanes.Add(TLanes.Load(u + c), TLanes.Load(bias + c));
                TLanes.Store(y + c, TLanes.Multiply(x, Gate(x, TLanes.Multiply(x, x))));
            }
        }
    }

    /// <summary>Once more y = gelu(u + bias), and gradient *= dy/du; its sums over rows are added to <paramref name="byBias"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void GeluBackward(int rows, int n, T* u, T* bias, T* gradient, T* y, T* byBias)
    {
        int lanes = TLanes.Count;
        TLanes one = TLanes.All(T.One), slope = TLanes.All(T.CreateChecked(2 * Slope)), cubic = TLanes.All(T.CreateChecked(6 * Slope * Cubic));
        for (int r = 0; r < rows; r++, u += n, y += n, gradient += n)
        {
            for (int c = 0; c < n; c += lanes)
            {
                TLanes x = TLanes.Add(TLanes.Load(u + c), TLanes.Load(bias + c)), square = TLanes.Multiply(x, x), s = Gate(x, square), value = TLanes.Multiply(x, s);
                TLanes.Store(y + c, value);
                // d(x s)/dx = s + x s (1 - s) d(2 z)/dx
                TLanes bend = TLanes.Multiply(value, TLanes.Subtract(one, s));
                TLanes d = TLanes.Multiply(TLanes.Fma(bend, TLanes.Fma(cubic, square, slope), s), TLanes.Load(gradient + c));
                TLanes.Store(gradient + c, d);
                TLanes.Store(byBias + c, TLanes.Add(TLanes.Load(byBias + c), d));
            }
        }
    }

    /// <summary>(1 + tanh z) / 2 = 1 / (1 + e^(-2 z)), with z = sqrt(2/pi) (x + 0.044715 x^3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Gate(TLanes x, TLanes square)
    {
        TLanes one = TLanes.All(T.One);
        TLanes power = TLanes.Multiply(x, TLanes.Fma(TLanes.All(T.CreateChecked(Log2Slope * Cubic)), square, TLanes.All(T.CreateChecked(Log2Slope))));
        return TLanes.Reciprocal(TLanes.Add(one, TLanes.Exp2(TLanes.Min(power, TLanes.All(T.CreateChecked(100))))));
    }
}

/// <summary>A layer norm's parameters.</summary>
internal readonly unsafe struct NormWeights<T>(T* weight, T* bias, T epsilon)
    where T : unmanaged
{
    public T* Weight { get; } = weight;

    public T* Bias { get; } = bias;

    public T Epsilon { get; } = epsilon;
}
