using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.ForceFields;

/// <summary>A function of one number, with its first two derivatives.</summary>
internal interface IActivation<TLanes>
{
    static abstract TLanes Value(TLanes x);

    static abstract TLanes First(TLanes x);

    static abstract void Both(TLanes x, out TLanes first, out TLanes second);
}

/// <summary>x s with s = 1 / (1 + e^-x).</summary>
internal readonly struct Silu<TLanes, T> : IActivation<TLanes>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Value(TLanes x) => TLanes.Multiply(x, Sigmoid<TLanes, T>.At(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes First(TLanes x)
    {
        TLanes s = Sigmoid<TLanes, T>.At(x);
        return TLanes.Fma(TLanes.Multiply(x, s), TLanes.Subtract(TLanes.All(T.One), s), s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Both(TLanes x, out TLanes first, out TLanes second)
    {
        TLanes one = TLanes.All(T.One), s = Sigmoid<TLanes, T>.At(x), rest = TLanes.Subtract(one, s), bend = TLanes.Multiply(s, rest);
        first = TLanes.Fma(x, bend, s);
        // s (1 - s) (2 + x (1 - 2 s))
        second = TLanes.Multiply(bend, TLanes.Fma(x, TLanes.Subtract(rest, s), TLanes.All(T.One + T.One)));
    }
}

/// <summary>ln(1 + e^x) - ln 2.</summary>
internal readonly unsafe struct ShiftedSoftplusLanes<TLanes, T> : IActivation<TLanes>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Value(TLanes x)
    {
        TLanes negative = TLanes.Subtract(TLanes.Zero, x), small = TLanes.Exp(TLanes.Min(x, negative));
        TLanes whole = TLanes.Subtract(TLanes.Max(x, TLanes.Zero), TLanes.All(T.CreateTruncating(0.69314718055994531)));
        // ln(1 + e) = 2 artanh(u), u = e / (2 + e) at most 1/3: the library's logarithm takes several times as long.
        TLanes u = TLanes.Multiply(small, TLanes.Reciprocal(TLanes.Add(TLanes.All(T.One + T.One), small))), v = TLanes.Multiply(u, u), p = TLanes.Zero;
        for (int k = sizeof(T) == sizeof(float) ? 8 : 17; k >= 0; k--) p = TLanes.Fma(p, v, TLanes.All(T.CreateTruncating(2.0 / (2 * k + 1))));
        return TLanes.Fma(u, p, whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes First(TLanes x) => Sigmoid<TLanes, T>.At(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Both(TLanes x, out TLanes first, out TLanes second)
    {
        first = Sigmoid<TLanes, T>.At(x);
        second = TLanes.Multiply(first, TLanes.Subtract(TLanes.All(T.One), first));
    }
}

internal static class Sigmoid<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>1 / (1 + e^-x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes At(TLanes x) => TLanes.Reciprocal(TLanes.Add(TLanes.All(T.One), TLanes.Exp(TLanes.Subtract(TLanes.Zero, x))));
}

/// <summary>An activation over rows that lie one after the other. Whole vectors: the last may reach beyond <c>count</c> numbers.</summary>
internal static unsafe class ActivationRows<TActivation, TLanes, T>
    where TActivation : struct, IActivation<TLanes>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>y = a(x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Values(long count, T* x, T* y)
    {
        for (long c = 0; c < count; c += TLanes.Count) TLanes.Store(y + c, TActivation.Value(TLanes.Load(x + c)));
    }

    /// <summary>y = a'(x) g: of a tangent g the next tangent, of a gradient by a(x) that by x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Slopes(long count, T* x, T* g, T* y)
    {
        for (long c = 0; c < count; c += TLanes.Count) TLanes.Store(y + c, TLanes.Multiply(TActivation.First(TLanes.Load(x + c)), TLanes.Load(g + c)));
    }

    /// <summary>
    /// Of S with gradients h by a(x) and g by the tangent a'(x) t, those by x, a' h + a'' t g, and by t, a' g; and once more the value and tangent.
    /// </summary>
    /// <param name="count">Numbers.</param>
    /// <param name="x">Argument.</param>
    /// <param name="t">Its tangent.</param>
    /// <param name="h">Replaced by the gradient by x.</param>
    /// <param name="g">By the tangent; only read.</param>
    /// <param name="byT">Written.</param>
    /// <param name="value">a(x), written</param>
    /// <param name="tangent">a'(x) t, written</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adjoints(long count, T* x, T* t, T* h, T* g, T* byT, T* value, T* tangent)
    {
        for (long c = 0; c < count; c += TLanes.Count)
        {
            TLanes z = TLanes.Load(x + c), dot = TLanes.Load(t + c), up = TLanes.Load(g + c);
            TActivation.Both(z, out TLanes first, out TLanes second);
            TLanes.Store(h + c, TLanes.Fma(first, TLanes.Load(h + c), TLanes.Multiply(TLanes.Multiply(second, dot), up)));
            TLanes.Store(byT + c, TLanes.Multiply(first, up));
            TLanes.Store(tangent + c, TLanes.Multiply(first, dot));
            TLanes.Store(value + c, TActivation.Value(z));
        }
    }

    /// <summary>Value, first and second derivative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void All(long count, T* x, T* value, T* first, T* second)
    {
        for (long c = 0; c < count; c += TLanes.Count)
        {
            TLanes z = TLanes.Load(x + c);
            TActivation.Both(z, out TLanes one, out TLanes two);
            TLanes.Store(value + c, TActivation.Value(z));
            TLanes.Store(first + c, one);
            TLanes.Store(second + c, two);
        }
    }
}
