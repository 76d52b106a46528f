using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>Rows of atoms for each of the orders s, p, d: of sources (atoms, F) each, of sums (atoms, F), (atoms, 3, F), (atoms, 5, F).</summary>
internal unsafe struct OrderRows<T>(T* s, T* p, T* d)
    where T : unmanaged
{
    public readonly T* S = s, P = p, D = d;
}

/// <summary>Pairs that go over a filter together.</summary>
/// <param name="count">How many.</param>
/// <param name="first">(count) receiver, by its place in the block</param>
/// <param name="second">(count) sender</param>
/// <param name="harmonics">(count, 8) orders 1 and 2</param>
internal readonly unsafe ref struct SpookyPairs<T>(int count, int* first, int* second, T* harmonics)
    where T : unmanaged
{
    public readonly int Count = count;
    public readonly int* First = first, Second = second;
    public readonly T* Harmonics = harmonics;
}

/// <summary>
/// Messages y_i,m = Y_m w_l x_j,l and their derivatives, of pairs in both directions: against the pair's, harmonics of order 1 change their sign.
/// Filters are (pairs, 2, 3 F): w(d) and dw/dd.
/// </summary>
internal static unsafe class SpookyMessageRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Adds messages to <paramref name="to"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Values(in SpookyPairs<T> pairs, int f, T* w, OrderRows<T> x, OrderRows<T> to)
    {
        for (int p = 0; p < pairs.Count; p++, w += 6 * f)
        {
            int i = pairs.First[p], j = pairs.Second[p];
            Values(pairs.Harmonics + (long)p * SpookyPairSizes.Harmonics, T.One, f, w, x, j, to, i);
            Values(pairs.Harmonics + (long)p * SpookyPairSizes.Harmonics, -T.One, f, w, x, i, to, j);
        }
    }

    /// <summary>Gradients of E by sources, added to where they are wanted, and by pairs, added up.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="f">F</param>
    /// <param name="w">Filters.</param>
    /// <param name="x">Sources.</param>
    /// <param name="by">Gradients by messages' sums.</param>
    /// <param name="byX">Those by sources; null: nobody asks.</param>
    /// <param name="sums">(pairs, <see cref="SpookyPairSizes.Sums"/>)</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reverse(in SpookyPairs<T> pairs, int f, T* w, OrderRows<T> x, OrderRows<T> by, OrderRows<T> byX, T* sums)
    {
        for (int p = 0; p < pairs.Count; p++, w += 6 * f, sums += SpookyPairSizes.Sums)
        {
            int i = pairs.First[p], j = pairs.Second[p];
            Reverse(pairs.Harmonics + (long)p * SpookyPairSizes.Harmonics, T.One, f, w, x, byX, j, by, i, sums);
            Reverse(pairs.Harmonics + (long)p * SpookyPairSizes.Harmonics, -T.One, f, w, x, byX, i, by, j, sums);
        }
    }

    /// <summary>Adds tangents of messages.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="f">F</param>
    /// <param name="w">Filters.</param>
    /// <param name="motion">(pairs, 9) tangents of harmonics and of the distance</param>
    /// <param name="x">Sources.</param>
    /// <param name="xDot">Their tangents; null: zero</param>
    /// <param name="to">Sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tangents(in SpookyPairs<T> pairs, int f, T* w, T* motion, OrderRows<T> x, OrderRows<T> xDot, OrderRows<T> to)
    {
        for (int p = 0; p < pairs.Count; p++, w += 6 * f, motion += SpookyPairSizes.Sums)
        {
            int i = pairs.First[p], j = pairs.Second[p];
            Tangents(pairs.Harmonics + (long)p * SpookyPairSizes.Harmonics, T.One, f, w, motion, x, xDot, j, to, i);
            Tangents(pairs.Harmonics + (long)p * SpookyPairSizes.Harmonics, -T.One, f, w, motion, x, xDot, i, to, j);
        }
    }

    /// <summary>Gradients of S by sources, added to, and by filters, written.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="f">F</param>
    /// <param name="w">Filters.</param>
    /// <param name="motion">(pairs, 9) tangents of harmonics and of the distance</param>
    /// <param name="x">Sources.</param>
    /// <param name="xDot">Their tangents; null: zero</param>
    /// <param name="hat">Gradients of S by messages' sums.</param>
    /// <param name="by">Those by their tangents.</param>
    /// <param name="byX">Gradients by sources.</param>
    /// <param name="byW">As filters.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adjoints(in SpookyPairs<T> pairs, int f, T* w, T* motion, OrderRows<T> x, OrderRows<T> xDot, OrderRows<T> hat, OrderRows<T> by, OrderRows<T> byX,
        T* byW)
    {
        for (int p = 0; p < pairs.Count; p++, w += 6 * f, byW += 6 * f, motion += SpookyPairSizes.Sums)
        {
            int i = pairs.First[p], j = pairs.Second[p];
            T* y = pairs.Harmonics + (long)p * SpookyPairSizes.Harmonics;
            Adjoints(y, T.One, f, w, motion, x, xDot, byX, j, hat, by, i, byW, false);
            Adjoints(y, -T.One, f, w, motion, x, xDot, byX, i, hat, by, j, byW, true);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Values(T* y, T sign, int f, T* w, OrderRows<T> x, long sender, OrderRows<T> to, long receiver)
    {
        T* xs = x.S + sender * f, xp = x.P + sender * f, xd = x.D + sender * f, s = to.S + receiver * f, p = to.P + receiver * 3 * f, d = to.D + receiver * 5 * f;
        TLanes y0 = TLanes.All(sign * y[0]), y1 = TLanes.All(sign * y[1]), y2 = TLanes.All(sign * y[2]);
        TLanes y3 = TLanes.All(y[3]), y4 = TLanes.All(y[4]), y5 = TLanes.All(y[5]), y6 = TLanes.All(y[6]), y7 = TLanes.All(y[7]);
        for (int c = 0; c < f; c += TLanes.Count)
        {
            TLanes.Store(s + c, TLanes.Fma(TLanes.Load(w + c), TLanes.Load(xs + c), TLanes.Load(s + c)));
            TLanes m = TLanes.Load(w + f + c) * TLanes.Load(xp + c);
            AddTo(p + c, y0, m);
            AddTo(p + f + c, y1, m);
            AddTo(p + 2 * f + c, y2, m);
            m = TLanes.Load(w + 2 * f + c) * TLanes.Load(xd + c);
            AddTo(d + c, y3, m);
            AddTo(d + f + c, y4, m);
            AddTo(d + 2 * f + c, y5, m);
            AddTo(d + 3 * f + c, y6, m);
            AddTo(d + 4 * f + c, y7, m);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Reverse(T* y, T sign, int f, T* w, OrderRows<T> x, OrderRows<T> byX, long sender, OrderRows<T> by, long receiver, T* sums)
    {
        T* xs = x.S + sender * f, xp = x.P + sender * f, xd = x.D + sender * f, s = by.S + receiver * f, p = by.P + receiver * 3 * f, d = by.D + receiver * 5 * f;
        T* slope = w + 3 * f, bs = byX.S + sender * f, bp = byX.P + sender * f, bd = byX.D + sender * f;
        bool wanted = byX.S != null;
        TLanes y0 = TLanes.All(sign * y[0]), y1 = TLanes.All(sign * y[1]), y2 = TLanes.All(sign * y[2]);
        TLanes y3 = TLanes.All(y[3]), y4 = TLanes.All(y[4]), y5 = TLanes.All(y[5]), y6 = TLanes.All(y[6]), y7 = TLanes.All(y[7]);
        TLanes a0 = TLanes.Zero, a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, far = a0;
        for (int c = 0; c < f; c += TLanes.Count)
        {
            TLanes ws = TLanes.Load(w + c), wp = TLanes.Load(w + f + c), wd = TLanes.Load(w + 2 * f + c);
            TLanes vs = TLanes.Load(xs + c), vp = TLanes.Load(xp + c), vd = TLanes.Load(xd + c), t = TLanes.Load(s + c);
            far = TLanes.Fma(TLanes.Load(slope + c) * vs, t, far);
            if (wanted) AddTo(bs + c, ws, t);
            TLanes g0 = TLanes.Load(p + c), g1 = TLanes.Load(p + f + c), g2 = TLanes.Load(p + 2 * f + c), m = wp * vp;
            (a0, a1, a2) = (TLanes.Fma(m, g0, a0), TLanes.Fma(m, g1, a1), TLanes.Fma(m, g2, a2));
            t = TLanes.Fma(y0, g0, TLanes.Fma(y1, g1, y2 * g2));
            far = TLanes.Fma(TLanes.Load(slope + f + c) * vp, t, far);
            if (wanted) AddTo(bp + c, wp, t);
            TLanes g3 = TLanes.Load(d + c), g4 = TLanes.Load(d + f + c), g5 = TLanes.Load(d + 2 * f + c), g6 = TLanes.Load(d + 3 * f + c), g7 = TLanes.Load(d + 4 * f + c);
            m = wd * vd;
            (a3, a4, a5, a6, a7) = (TLanes.Fma(m, g3, a3), TLanes.Fma(m, g4, a4), TLanes.Fma(m, g5, a5), TLanes.Fma(m, g6, a6), TLanes.Fma(m, g7, a7));
            t = TLanes.Fma(y3, g3, TLanes.Fma(y4, g4, TLanes.Fma(y5, g5, TLanes.Fma(y6, g6, y7 * g7))));
            far = TLanes.Fma(TLanes.Load(slope + 2 * f + c) * vd, t, far);
            if (wanted) AddTo(bd + c, wd, t);
        }
        (sums[0], sums[1], sums[2]) = (sums[0] + sign * TLanes.Sum(a0), sums[1] + sign * TLanes.Sum(a1), sums[2] + sign * TLanes.Sum(a2));
        (sums[3], sums[4], sums[5]) = (sums[3] + TLanes.Sum(a3), sums[4] + TLanes.Sum(a4), sums[5] + TLanes.Sum(a5));
        (sums[6], sums[7], sums[8]) = (sums[6] + TLanes.Sum(a6), sums[7] + TLanes.Sum(a7), sums[8] + TLanes.Sum(far));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tangents(T* y, T sign, int f, T* w, T* motion, OrderRows<T> x, OrderRows<T> xDot, long sender, OrderRows<T> to, long receiver)
    {
        long at = sender * f;
        T* s = to.S + receiver * f, p = to.P + receiver * 3 * f, d = to.D + receiver * 5 * f;
        TLanes y0 = TLanes.All(sign * y[0]), y1 = TLanes.All(sign * y[1]), y2 = TLanes.All(sign * y[2]);
        TLanes z0 = TLanes.All(sign * motion[0]), z1 = TLanes.All(sign * motion[1]), z2 = TLanes.All(sign * motion[2]), far = TLanes.All(motion[8]);
        for (int c = 0; c < f; c += TLanes.Count)
        {
            TLanes dot = Message(x.S, xDot.S, at + c, w + c, f, far, out _);
            TLanes.Store(s + c, TLanes.Load(s + c) + dot);
            dot = Message(x.P, xDot.P, at + c, w + f + c, f, far, out TLanes m);
            AddTo(p + c, y0, dot, z0, m);
            AddTo(p + f + c, y1, dot, z1, m);
            AddTo(p + 2 * f + c, y2, dot, z2, m);
        }
        TLanes y3 = TLanes.All(y[3]), y4 = TLanes.All(y[4]), y5 = TLanes.All(y[5]), y6 = TLanes.All(y[6]), y7 = TLanes.All(y[7]);
        TLanes z3 = TLanes.All(motion[3]), z4 = TLanes.All(motion[4]), z5 = TLanes.All(motion[5]), z6 = TLanes.All(motion[6]), z7 = TLanes.All(motion[7]);
        for (int c = 0; c < f; c += TLanes.Count)
        {
            TLanes dot = Message(x.D, xDot.D, at + c, w + 2 * f + c, f, far, out TLanes m);
            AddTo(d + c, y3, dot, z3, m);
            AddTo(d + f + c, y4, dot, z4, m);
            AddTo(d + 2 * f + c, y5, dot, z5, m);
            AddTo(d + 3 * f + c, y6, dot, z6, m);
            AddTo(d + 4 * f + c, y7, dot, z7, m);
        }
    }

    /// <summary>w x, and its tangent dw/dd d' x + w x'.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Message(T* x, T* xDot, long at, T* w, int f, TLanes far, out TLanes message)
    {
        TLanes v = TLanes.Load(x + at), filter = TLanes.Load(w), dot = TLanes.Load(w + 3 * f) * far * v;
        message = filter * v;
        return xDot == null ? dot : TLanes.Fma(filter, TLanes.Load(xDot + at), dot);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Adjoints(T* y, T sign, int f, T* w, T* motion, OrderRows<T> x, OrderRows<T> xDot, OrderRows<T> byX, long sender, OrderRows<T> hat, OrderRows<T> by,
        long receiver, T* byW, bool add)
    {
        long at = sender * f;
        T* s = by.S + receiver * f, p = by.P + receiver * 3 * f, d = by.D + receiver * 5 * f;
        T* hs = hat.S + receiver * f, hp = hat.P + receiver * 3 * f, hd = hat.D + receiver * 5 * f;
        TLanes y0 = TLanes.All(sign * y[0]), y1 = TLanes.All(sign * y[1]), y2 = TLanes.All(sign * y[2]);
        TLanes z0 = TLanes.All(sign * motion[0]), z1 = TLanes.All(sign * motion[1]), z2 = TLanes.All(sign * motion[2]), far = TLanes.All(motion[8]);
        for (int c = 0; c < f; c += TLanes.Count)
        {
            Adjoint(TLanes.Load(hs + c), TLanes.Load(s + c), x.S, xDot.S, byX.S, at + c, w + c, byW + c, f, far, add);
            TLanes g0 = TLanes.Load(p + c), g1 = TLanes.Load(p + f + c), g2 = TLanes.Load(p + 2 * f + c);
            TLanes t = TLanes.Fma(y0, TLanes.Load(hp + c), TLanes.Fma(y1, TLanes.Load(hp + f + c), y2 * TLanes.Load(hp + 2 * f + c)));
            t = TLanes.Fma(z0, g0, TLanes.Fma(z1, g1, TLanes.Fma(z2, g2, t)));
            Adjoint(t, TLanes.Fma(y0, g0, TLanes.Fma(y1, g1, y2 * g2)), x.P, xDot.P, byX.P, at + c, w + f + c, byW + f + c, f, far, add);
        }
        TLanes y3 = TLanes.All(y[3]), y4 = TLanes.All(y[4]), y5 = TLanes.All(y[5]), y6 = TLanes.All(y[6]), y7 = TLanes.All(y[7]);
        TLanes z3 = TLanes.All(motion[3]), z4 = TLanes.All(motion[4]), z5 = TLanes.All(motion[5]), z6 = TLanes.All(motion[6]), z7 = TLanes.All(motion[7]);
        for (int c = 0; c < f; c += TLanes.Count)
        {
            TLanes g3 = TLanes.Load(d + c), g4 = TLanes.Load(d + f + c), g5 = TLanes.Load(d + 2 * f + c), g6 = TLanes.Load(d + 3 * f + c), g7 = TLanes.Load(d + 4 * f + c);
            TLanes t = TLanes.Fma(y3, TLanes.Load(hd + c), TLanes.Fma(y4, TLanes.Load(hd + f + c), y5 * TLanes.Load(hd + 2 * f + c)));
            t = TLanes.Fma(y6, TLanes.Load(hd + 3 * f + c), TLanes.Fma(y7, TLanes.Load(hd + 4 * f + c), t));
            t = TLanes.Fma(z3, g3, TLanes.Fma(z4, g4, TLanes.Fma(z5, g5, TLanes.Fma(z6, g6, TLanes.Fma(z7, g7, t)))));
            TLanes u = TLanes.Fma(y3, g3, TLanes.Fma(y4, g4, TLanes.Fma(y5, g5, TLanes.Fma(y6, g6, y7 * g7))));
            Adjoint(t, u, x.D, xDot.D, byX.D, at + c, w + 2 * f + c, byW + 2 * f + c, f, far, add);
        }
    }

    /// <summary>From gradients t by w x and u by its tangent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Adjoint(TLanes t, TLanes u, T* x, T* xDot, T* byX, long at, T* w, T* byW, int f, TLanes far, bool add)
    {
        TLanes v = TLanes.Load(x + at), moved = far * u, value = v * t, slope = v * moved;
        if (xDot != null) value = TLanes.Fma(TLanes.Load(xDot + at), u, value);
        TLanes.Store(byX + at, TLanes.Fma(TLanes.Load(w), t, TLanes.Fma(TLanes.Load(w + 3 * f), moved, TLanes.Load(byX + at))));
        TLanes.Store(byW, add ? TLanes.Load(byW) + value : value);
        TLanes.Store(byW + 3 * f, add ? TLanes.Load(byW + 3 * f) + slope : slope);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(T* sum, TLanes a, TLanes b) => TLanes.Store(sum, TLanes.Fma(a, b, TLanes.Load(sum)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(T* sum, TLanes a, TLanes b, TLanes c, TLanes d) => TLanes.Store(sum, TLanes.Fma(a, b, TLanes.Fma(c, d, TLanes.Load(sum))));
}
