using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>
/// What SchNet does between products, over a chunk of pairs. Filters are rows 2 p (w) and 2 p + 1 (w' = dw/dd); atoms' rows are found by their place in
/// the batch. h: features; g: gradients of E by the sums m.
/// </summary>
internal static unsafe class SchNetRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>m_i += h_j w</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in PairSpan pairs, int n, T* filters, T* h, T* m)
    {
        for (int p = 0; p < pairs.Count; p++)
        {
            (long i, long j) = pairs.Ends(p);
            T* w = filters + 2L * (pairs.Place + p) * n;
            Add(n, w, h + j * n, m + i * n);
            if (pairs.BothWays) Add(n, w, h + i * n, m + j * n);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Add(int n, T* w, T* h, T* m)
        {
            for (int c = 0; c < n; c += TLanes.Count) TLanes.Store(m + c, TLanes.Fma(TLanes.Load(w + c), TLanes.Load(h + c), TLanes.Load(m + c)));
        }
    }

    /// <summary>dE/dd += sum of w' q, with q = h_j g_i; gradients by h_j += w g_i, where they are wanted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reverse(in PairSpan pairs, int n, T* filters, T* h, T* g, T* byH, T* slopes)
    {
        for (int p = 0; p < pairs.Count; p++)
        {
            (long i, long j) = pairs.Ends(p);
            T* w = filters + 2L * (pairs.Place + p) * n, slope = w + n, hi = h + i * n, hj = h + j * n, gi = g + i * n, gj = g + j * n;
            TLanes sum = TLanes.Zero;
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes q = TLanes.Multiply(TLanes.Load(hj + c), TLanes.Load(gi + c));
                if (pairs.BothWays) q = TLanes.Fma(TLanes.Load(hi + c), TLanes.Load(gj + c), q);
                sum = TLanes.Fma(TLanes.Load(slope + c), q, sum);
                if (byH == null) continue;
                TLanes value = TLanes.Load(w + c);
                T* bj = byH + j * n + c, bi = byH + i * n + c;
                TLanes.Store(bj, TLanes.Fma(value, TLanes.Load(gi + c), TLanes.Load(bj)));
                if (pairs.BothWays) TLanes.Store(bi, TLanes.Fma(value, TLanes.Load(gj + c), TLanes.Load(bi)));
            }
            slopes[3L * (pairs.First + p)] += TLanes.Sum(sum);
        }
    }

    /// <summary>m'_i += h_j w' d' + h'_j w</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tangents(in PairSpan pairs, int n, T* filters, T* dDot, T* h, T* hDot, T* mDot)
    {
        for (int p = 0; p < pairs.Count; p++)
        {
            (long i, long j) = pairs.Ends(p);
            T* w = filters + 2L * (pairs.Place + p) * n;
            TLanes d = TLanes.All(dDot[p]);
            Add(n, w, d, h + j * n, hDot == null ? null : hDot + j * n, mDot + i * n);
            if (pairs.BothWays) Add(n, w, d, h + i * n, hDot == null ? null : hDot + i * n, mDot + j * n);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Add(int n, T* w, TLanes d, T* h, T* hDot, T* mDot)
        {
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes sum = TLanes.Fma(TLanes.Multiply(TLanes.Load(w + n + c), d), TLanes.Load(h + c), TLanes.Load(mDot + c));
                if (hDot != null) sum = TLanes.Fma(TLanes.Load(w + c), TLanes.Load(hDot + c), sum);
                TLanes.Store(mDot + c, sum);
            }
        }
    }

    /// <summary>
    /// With gradients G of S by m: by w, h_j G_i + h'_j g_i; by w', d' h_j g_i; by h_j, w G_i + w' d' g_i. Of w and w' go on those by t = w / f:
    /// rows 2 p and 2 p + 1 of <paramref name="byT"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adjoints(in PairSpan pairs, int n, T* filters, T* dDot, T* geometry, in SchNetAdjoints<T> of, T* byT)
    {
        for (int p = 0; p < pairs.Count; p++, byT += 2 * n)
        {
            (long i, long j) = pairs.Ends(p);
            T* w = filters + 2L * (pairs.Place + p) * n, envelope = geometry + (pairs.Place + p) * (long)PairRadial.Geometry + 4;
            T* hi = of.H + i * n, hj = of.H + j * n, gi = of.ByM + i * n, gj = of.ByM + j * n, ui = of.ByMHat + i * n, uj = of.ByMHat + j * n;
            T* bi = of.ByH + i * n, bj = of.ByH + j * n, ti = of.HDot + i * n, tj = of.HDot + j * n;
            bool moving = of.HDot != null;
            TLanes d = TLanes.All(dDot[p]), f = TLanes.All(envelope[0]), fSlope = TLanes.All(envelope[1]);
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes value = TLanes.Load(w + c), tangent = TLanes.Multiply(TLanes.Load(w + n + c), d);
                TLanes g = TLanes.Load(gi + c), u = TLanes.Load(ui + c), hidden = TLanes.Load(hj + c);
                TLanes byW = TLanes.Multiply(hidden, u), q = TLanes.Multiply(hidden, g);
                if (moving) byW = TLanes.Fma(TLanes.Load(tj + c), g, byW);
                TLanes.Store(bj + c, TLanes.Fma(value, u, TLanes.Fma(tangent, g, TLanes.Load(bj + c))));
                if (pairs.BothWays)
                {
                    (g, u, hidden) = (TLanes.Load(gj + c), TLanes.Load(uj + c), TLanes.Load(hi + c));
                    (byW, q) = (TLanes.Fma(hidden, u, byW), TLanes.Fma(hidden, g, q));
                    if (moving) byW = TLanes.Fma(TLanes.Load(ti + c), g, byW);
                    TLanes.Store(bi + c, TLanes.Fma(value, u, TLanes.Fma(tangent, g, TLanes.Load(bi + c))));
                }
                q = TLanes.Multiply(q, d);
                TLanes.Store(byT + c, TLanes.Fma(byW, f, TLanes.Multiply(q, fSlope)));
                TLanes.Store(byT + n + c, TLanes.Multiply(q, f));
            }
        }
    }

    /// <summary>Rows s, s' become k = ssp(s) and k' = ssp'(s) s'; ssp'(s) and ssp''(s) s' are left beside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Hidden(int count, int n, T* k, T* slope)
    {
        for (int p = 0; p < count; p++, k += 2 * n, slope += 2 * n)
        {
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes s = TLanes.Load(k + c), dot = TLanes.Load(k + n + c);
                ShiftedSoftplusLanes<TLanes, T>.Both(s, out TLanes first, out TLanes second);
                TLanes.Store(k + c, ShiftedSoftplusLanes<TLanes, T>.Value(s));
                TLanes.Store(k + n + c, TLanes.Multiply(first, dot));
                TLanes.Store(slope + c, first);
                TLanes.Store(slope + n + c, TLanes.Multiply(second, dot));
            }
        }
    }

    /// <summary>Gradients by k and k' become those by s and s'.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByHidden(int count, int n, T* slope, T* byK)
    {
        for (int p = 0; p < count; p++, slope += 2 * n, byK += 2 * n)
        {
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes first = TLanes.Load(slope + c), up = TLanes.Load(byK + n + c);
                TLanes.Store(byK + c, TLanes.Fma(first, TLanes.Load(byK + c), TLanes.Multiply(TLanes.Load(slope + n + c), up)));
                TLanes.Store(byK + n + c, TLanes.Multiply(first, up));
            }
        }
    }

    /// <summary>Rows k W2', k' W2' become w = (k W2' + b2) f and w' = k' W2' f + (k W2' + b2) f'.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Cut(int count, int n, T* geometry, T* bias, T* w)
    {
        for (int p = 0; p < count; p++, w += 2 * n, geometry += PairRadial.Geometry)
        {
            TLanes f = TLanes.All(geometry[4]), slope = TLanes.All(geometry[5]);
            for (int c = 0; c < n; c += TLanes.Count)
            {
                TLanes t = TLanes.Add(TLanes.Load(w + c), TLanes.Load(bias + c));
                TLanes.Store(w + n + c, TLanes.Fma(TLanes.Load(w + n + c), f, TLanes.Multiply(t, slope)));
                TLanes.Store(w + c, TLanes.Multiply(t, f));
            }
        }
    }
}

/// <summary>What the backward pass of the sums reads and adds to; rows by the atoms' places in the batch.</summary>
/// <param name="H">h</param>
/// <param name="HDot">h'; null: zero</param>
/// <param name="ByM">g, gradients of E by m.</param>
/// <param name="ByMHat">G, gradients of S by m.</param>
/// <param name="ByH">Gradients of S by h, added to.</param>
internal readonly unsafe struct SchNetAdjoints<T>(T* H, T* HDot, T* ByM, T* ByMHat, T* ByH)
    where T : unmanaged
{
    public T* H { get; } = H;

    public T* HDot { get; } = HDot;

    public T* ByM { get; } = ByM;

    public T* ByMHat { get; } = ByMHat;

    public T* ByH { get; } = ByH;
}
