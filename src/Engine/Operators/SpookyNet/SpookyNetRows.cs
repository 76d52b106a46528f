using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Kernels.Maths;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>The learned activation s(x) = a x p, p = 1 / (1 + e^(-b x)), over rows: a and b for each column.</summary>
internal static unsafe class SwishRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>y = s(x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Values(int rows, int f, T* a, T* b, T* x, T* y)
    {
        for (int r = 0; r < rows; r++, x += f, y += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes v = TLanes.Load(x + c);
                TLanes.Store(y + c, TLanes.Load(a + c) * v * Sigmoid(TLanes.Load(b + c) * v));
            }
        }
    }

    /// <summary>y = s'(x) g: of a tangent g the next tangent, of a gradient by s(x) that by x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Slopes(int rows, int f, T* a, T* b, T* x, T* g, T* y)
    {
        TLanes one = TLanes.All(T.One);
        for (int r = 0; r < rows; r++, x += f, g += f, y += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes u = TLanes.Load(b + c) * TLanes.Load(x + c), p = Sigmoid(u);
                TLanes.Store(y + c, TLanes.Fma(u * p, one - p, p) * TLanes.Load(a + c) * TLanes.Load(g + c));
            }
        }
    }

    /// <summary>
    /// Of S with gradients h by s(x) and g by the tangent s'(x) t, those by x, s' h + s'' t g, by t, s' g, and by a and b; and once more value and tangent.
    /// </summary>
    /// <param name="rows">Rows.</param>
    /// <param name="f">Columns.</param>
    /// <param name="a">(f)</param>
    /// <param name="b">(f)</param>
    /// <param name="of">The rows.</param>
    /// <param name="byA">(f), added to</param>
    /// <param name="byB">(f), added to</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adjoints(int rows, int f, T* a, T* b, in SwishAdjoints<T> of, T* byA, T* byB)
    {
        T* x = of.X, t = of.Moved, h = of.H, g = of.G, byT = of.ByT, value = of.Value, tangent = of.Tangent;
        TLanes one = TLanes.All(T.One), two = one + one;
        for (int r = 0; r < rows; r++, x += f, t += f, h += f, g += f, byT += f, value += f, tangent += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes v = TLanes.Load(x + c), factor = TLanes.Load(a + c), rate = TLanes.Load(b + c), u = rate * v, p = Sigmoid(u), rest = one - p;
                TLanes plain = v * p, first = TLanes.Fma(u * p, rest, p), w = p * rest;
                TLanes dot = TLanes.Load(t + c), up = TLanes.Load(h + c), hat = TLanes.Load(g + c) * dot;
                // d(x p)/db = x^2 w; d2(x p)/dx2 = b w (2 + u (1 - 2 p)), d2(x p)/dx db = x w (2 + u (1 - 2 p))
                TLanes bend = w * TLanes.Fma(u, rest - p, two), slope = factor * first;
                TLanes.Store(h + c, TLanes.Fma(slope, up, factor * rate * bend * hat));
                TLanes.Store(byT + c, slope * TLanes.Load(g + c));
                TLanes.Store(value + c, factor * plain);
                TLanes.Store(tangent + c, slope * dot);
                TLanes.Store(byA + c, TLanes.Fma(plain, up, TLanes.Fma(first, hat, TLanes.Load(byA + c))));
                TLanes.Store(byB + c, TLanes.Fma(factor * v, TLanes.Fma(v * w, up, bend * hat), TLanes.Load(byB + c)));
            }
        }
    }

    /// <summary>The same where nothing moves: t and g are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Back(int rows, int f, T* a, T* b, T* x, T* h, T* value, T* byA, T* byB)
    {
        TLanes one = TLanes.All(T.One);
        for (int r = 0; r < rows; r++, x += f, h += f, value += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes v = TLanes.Load(x + c), factor = TLanes.Load(a + c), u = TLanes.Load(b + c) * v, p = Sigmoid(u), rest = one - p, plain = v * p;
                TLanes up = TLanes.Load(h + c);
                TLanes.Store(h + c, factor * TLanes.Fma(u * p, rest, p) * up);
                TLanes.Store(value + c, factor * plain);
                TLanes.Store(byA + c, TLanes.Fma(plain, up, TLanes.Load(byA + c)));
                TLanes.Store(byB + c, TLanes.Fma(factor * v * v, p * rest * up, TLanes.Load(byB + c)));
            }
        }
    }

    /// <summary>No less than 2^-63, so that products with it are no subnormal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Sigmoid(TLanes x)
    {
        TLanes e = TLanes.Exp(TLanes.Min(TLanes.Zero - x, TLanes.All(T.CreateTruncating(-Negligible.Exponent))));
        return TLanes.Reciprocal(TLanes.All(T.One) + e);
    }
}

/// <summary>Rows that <see cref="SwishRows{TLanes, T}.Adjoints"/> goes over.</summary>
/// <param name="x">Argument.</param>
/// <param name="t">Its tangent.</param>
/// <param name="h">Gradient of S by the value, replaced by that by the argument.</param>
/// <param name="g">That by the tangent of the value; only read.</param>
/// <param name="byT">That by t, written.</param>
/// <param name="value">s(x), written</param>
/// <param name="tangent">s'(x) t, written</param>
internal readonly unsafe ref struct SwishAdjoints<T>(T* x, T* t, T* h, T* g, T* byT, T* value, T* tangent)
    where T : unmanaged
{
    public readonly T* X = x, Moved = t, H = h, G = g, ByT = byT, Value = value, Tangent = tangent;
}

/// <summary>Sums over rows and products of projections.</summary>
internal static unsafe class SpookyRowsOf<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>y += x</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(long count, T* x, T* y)
    {
        for (long c = 0; c < count; c += TLanes.Count) TLanes.Store(y + c, TLanes.Load(y + c) + TLanes.Load(x + c));
    }

    /// <summary>z = x + y</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sum(long count, T* x, T* y, T* z)
    {
        for (long c = 0; c < count; c += TLanes.Count) TLanes.Store(z + c, TLanes.Load(y + c) + TLanes.Load(x + c));
    }

    /// <summary>sum_c x_c y_c</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Dot(long count, T* x, T* y)
    {
        TLanes s = TLanes.Zero;
        for (long c = 0; c < count; c += TLanes.Count) s = TLanes.Fma(TLanes.Load(x + c), TLanes.Load(y + c), s);
        return TLanes.Sum(s);
    }

    /// <summary>y += a x, or y = a x</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scaled(long count, T a, T* x, T* y, bool add)
    {
        TLanes factor = TLanes.All(a);
        for (long c = 0; c < count; c += TLanes.Count) TLanes.Store(y + c, TLanes.Fma(factor, TLanes.Load(x + c), add ? TLanes.Load(y + c) : TLanes.Zero));
    }

    /// <summary>s += sum over components of P1 P2.</summary>
    /// <param name="atoms">N</param>
    /// <param name="components">3 or 5</param>
    /// <param name="f">F</param>
    /// <param name="p">(atoms, components, 2 F)</param>
    /// <param name="s">(atoms, F)</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Invariants(int atoms, int components, int f, T* p, T* s)
    {
        for (int i = 0; i < atoms; i++, p += (long)components * 2 * f, s += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes sum = TLanes.Load(s + c);
                T* q = p + c;
                for (int m = 0; m < components; m++, q += 2 * f) sum = TLanes.Fma(TLanes.Load(q), TLanes.Load(q + f), sum);
                TLanes.Store(s + c, sum);
            }
        }
    }

    /// <summary>s += sum over components of P1' P2 + P1 P2'.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InvariantTangents(int atoms, int components, int f, T* p, T* pDot, T* s)
    {
        for (int i = 0; i < atoms; i++, p += (long)components * 2 * f, pDot += (long)components * 2 * f, s += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes sum = TLanes.Load(s + c);
                T* q = p + c, dot = pDot + c;
                for (int m = 0; m < components; m++, q += 2 * f, dot += 2 * f)
                    sum = TLanes.Fma(TLanes.Load(dot), TLanes.Load(q + f), TLanes.Fma(TLanes.Load(q), TLanes.Load(dot + f), sum));
                TLanes.Store(s + c, sum);
            }
        }
    }

    /// <summary>Gradients by P of E: P2 g, P1 g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByProjections(int atoms, int components, int f, T* p, T* g, T* byP)
    {
        for (int i = 0; i < atoms; i++, g += f)
        {
            for (int m = 0; m < components; m++, p += 2 * f, byP += 2 * f)
            {
                for (int c = 0; c < f; c += TLanes.Count)
                {
                    TLanes up = TLanes.Load(g + c);
                    TLanes.Store(byP + c, TLanes.Load(p + f + c) * up);
                    TLanes.Store(byP + f + c, TLanes.Load(p + c) * up);
                }
            }
        }
    }

    /// <summary>Gradients by P of S, whose gradients by invariants are h and by their tangents g: P2 h + P2' g, P1 h + P1' g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ProjectionAdjoints(int atoms, int components, int f, T* p, T* pDot, T* h, T* g, T* byP)
    {
        for (int i = 0; i < atoms; i++, g += f, h += f)
        {
            for (int m = 0; m < components; m++, p += 2 * f, pDot += 2 * f, byP += 2 * f)
            {
                for (int c = 0; c < f; c += TLanes.Count)
                {
                    TLanes up = TLanes.Load(h + c), hat = TLanes.Load(g + c);
                    TLanes.Store(byP + c, TLanes.Fma(TLanes.Load(p + f + c), up, TLanes.Load(pDot + f + c) * hat));
                    TLanes.Store(byP + f + c, TLanes.Fma(TLanes.Load(p + c), up, TLanes.Load(pDot + c) * hat));
                }
            }
        }
    }
}
