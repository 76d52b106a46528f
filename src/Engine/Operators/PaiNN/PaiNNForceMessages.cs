using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>
/// Messages of a chunk of pairs, both directions of each from one filter, and their reverse. Filters are blocks [a | b | c] of the width F; before
/// vectors are there [a | b], and an atom's row of the context is then found by its element.
/// </summary>
/// <param name="width">F</param>
internal readonly unsafe struct PaiNNForceMessages<TLanes, T>(int width)
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int width = width;

    /// <param name="frame">The pairs.</param>
    /// <param name="start">First pair of the chunk.</param>
    /// <param name="count">Its pairs.</param>
    /// <param name="filters">(count, 2 F)</param>
    /// <param name="table">(elements, 3 F) the context by element</param>
    /// <param name="scalars">(atoms, 2 F) of which the first half is added to</param>
    /// <param name="vectors">(atoms, 3, F) added to</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void First(in PairRows<T> frame, int start, int count, T* filters, T* table, T* scalars, T* vectors)
    {
        int n = width, l = TLanes.Count;
        for (int p = start; p < start + count; p++, filters += 2 * n)
        {
            long i = frame.First[p], j = frame.Second[p];
            T* xi = table + frame.Numbers[i] * 3L * n, xj = table + frame.Numbers[j] * 3L * n, d = frame.Directions + 4L * p;
            T* qi = scalars + i * 2 * n, qj = scalars + j * 2 * n, mi = vectors + i * 3 * n, mj = vectors + j * 3 * n;
            TLanes d0 = TLanes.All(d[0]), d1 = TLanes.All(d[1]), d2 = TLanes.All(d[2]);
            for (int f = 0; f < n; f += l)
            {
                TLanes a = TLanes.Load(filters + f), b = TLanes.Load(filters + n + f);
                TLanes.Store(qi + f, TLanes.Fma(a, TLanes.Load(xj + f), TLanes.Load(qi + f)));
                TLanes.Store(qj + f, TLanes.Fma(a, TLanes.Load(xi + f), TLanes.Load(qj + f)));
                TLanes toI = b * TLanes.Load(xj + n + f), toJ = TLanes.Zero - b * TLanes.Load(xi + n + f);
                TLanes.Store(mi + f, TLanes.Fma(toI, d0, TLanes.Load(mi + f)));
                TLanes.Store(mi + n + f, TLanes.Fma(toI, d1, TLanes.Load(mi + n + f)));
                TLanes.Store(mi + 2 * n + f, TLanes.Fma(toI, d2, TLanes.Load(mi + 2 * n + f)));
                TLanes.Store(mj + f, TLanes.Fma(toJ, d0, TLanes.Load(mj + f)));
                TLanes.Store(mj + n + f, TLanes.Fma(toJ, d1, TLanes.Load(mj + n + f)));
                TLanes.Store(mj + 2 * n + f, TLanes.Fma(toJ, d2, TLanes.Load(mj + 2 * n + f)));
            }
        }
    }

    /// <param name="frame">The pairs.</param>
    /// <param name="start">First pair of the chunk.</param>
    /// <param name="count">Its pairs.</param>
    /// <param name="filters">(count, 3 F)</param>
    /// <param name="context">(atoms, 3 F)</param>
    /// <param name="before">(atoms, 3, F) vectors that are sent</param>
    /// <param name="scalars">(atoms, 2 F) of which the first half is added to</param>
    /// <param name="vectors">(atoms, 3, F) added to</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Later(in PairRows<T> frame, int start, int count, T* filters, T* context, T* before, T* scalars, T* vectors)
    {
        int n = width, l = TLanes.Count;
        for (int p = start; p < start + count; p++, filters += 3 * n)
        {
            long i = frame.First[p], j = frame.Second[p];
            T* xi = context + i * 3 * n, xj = context + j * 3 * n, oi = before + i * 3 * n, oj = before + j * 3 * n, d = frame.Directions + 4L * p;
            T* qi = scalars + i * 2 * n, qj = scalars + j * 2 * n, mi = vectors + i * 3 * n, mj = vectors + j * 3 * n;
            TLanes d0 = TLanes.All(d[0]), d1 = TLanes.All(d[1]), d2 = TLanes.All(d[2]);
            for (int f = 0; f < n; f += l)
            {
                TLanes a = TLanes.Load(filters + f), b = TLanes.Load(filters + n + f), c = TLanes.Load(filters + 2 * n + f);
                TLanes.Store(qi + f, TLanes.Fma(a, TLanes.Load(xj + f), TLanes.Load(qi + f)));
                TLanes.Store(qj + f, TLanes.Fma(a, TLanes.Load(xi + f), TLanes.Load(qj + f)));
                TLanes toI = b * TLanes.Load(xj + n + f), toJ = TLanes.Zero - b * TLanes.Load(xi + n + f);
                TLanes ofJ = c * TLanes.Load(xj + 2 * n + f), ofI = c * TLanes.Load(xi + 2 * n + f);
                TLanes.Store(mi + f, TLanes.Fma(ofJ, TLanes.Load(oj + f), TLanes.Fma(toI, d0, TLanes.Load(mi + f))));
                TLanes.Store(mi + n + f, TLanes.Fma(ofJ, TLanes.Load(oj + n + f), TLanes.Fma(toI, d1, TLanes.Load(mi + n + f))));
                TLanes.Store(mi + 2 * n + f, TLanes.Fma(ofJ, TLanes.Load(oj + 2 * n + f), TLanes.Fma(toI, d2, TLanes.Load(mi + 2 * n + f))));
                TLanes.Store(mj + f, TLanes.Fma(ofI, TLanes.Load(oi + f), TLanes.Fma(toJ, d0, TLanes.Load(mj + f))));
                TLanes.Store(mj + n + f, TLanes.Fma(ofI, TLanes.Load(oi + n + f), TLanes.Fma(toJ, d1, TLanes.Load(mj + n + f))));
                TLanes.Store(mj + 2 * n + f, TLanes.Fma(ofI, TLanes.Load(oi + 2 * n + f), TLanes.Fma(toJ, d2, TLanes.Load(mj + 2 * n + f))));
            }
        }
    }

    /// <summary>Of <see cref="First"/>: sums of the pairs' gradients alone, since an element's context does not move.</summary>
    /// <param name="frame">The pairs.</param>
    /// <param name="start">First pair of the chunk.</param>
    /// <param name="count">Its pairs.</param>
    /// <param name="filters">(count, 2 F)</param>
    /// <param name="slopes">(count, 2 F) their derivatives by distance</param>
    /// <param name="table">(elements, 3 F)</param>
    /// <param name="byScalars">(atoms, F)</param>
    /// <param name="byVectors">(atoms, 3, F)</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void ReverseFirst(in PairRows<T> frame, int start, int count, T* filters, T* slopes, T* table, T* byScalars, T* byVectors)
    {
        int n = width, l = TLanes.Count;
        for (int p = start; p < start + count; p++, filters += 2 * n, slopes += 2 * n)
        {
            long i = frame.First[p], j = frame.Second[p];
            T* xi = table + frame.Numbers[i] * 3L * n, xj = table + frame.Numbers[j] * 3L * n, d = frame.Directions + 4L * p;
            T* qi = byScalars + i * n, qj = byScalars + j * n, mi = byVectors + i * 3 * n, mj = byVectors + j * 3 * n;
            TLanes d0 = TLanes.All(d[0]), d1 = TLanes.All(d[1]), d2 = TLanes.All(d[2]);
            TLanes along = TLanes.Zero, g0 = along, g1 = along, g2 = along;
            for (int f = 0; f < n; f += l)
            {
                TLanes i0 = TLanes.Load(mi + f), i1 = TLanes.Load(mi + n + f), i2 = TLanes.Load(mi + 2 * n + f);
                TLanes j0 = TLanes.Load(mj + f), j1 = TLanes.Load(mj + n + f), j2 = TLanes.Load(mj + 2 * n + f);
                TLanes bi = TLanes.Load(xi + n + f), bj = TLanes.Load(xj + n + f), b = TLanes.Load(filters + n + f);
                TLanes si = TLanes.Fma(i2, d2, TLanes.Fma(i1, d1, i0 * d0)), sj = TLanes.Fma(j2, d2, TLanes.Fma(j1, d1, j0 * d0));
                TLanes both = TLanes.Fma(TLanes.Load(xi + f), TLanes.Load(qj + f), TLanes.Load(xj + f) * TLanes.Load(qi + f));
                along = TLanes.Fma(TLanes.Load(slopes + f), both, along);
                along = TLanes.Fma(TLanes.Load(slopes + n + f), bj * si - bi * sj, along);
                (bi, bj) = (b * bi, b * bj);
                g0 = g0 + (bj * i0 - bi * j0);
                g1 = g1 + (bj * i1 - bi * j1);
                g2 = g2 + (bj * i2 - bi * j2);
            }
            Add(frame.Gradients + 4L * p, along, g0, g1, g2);
        }
    }

    /// <summary>Of <see cref="Later"/>.</summary>
    /// <param name="frame">The pairs.</param>
    /// <param name="start">First pair of the chunk.</param>
    /// <param name="count">Its pairs.</param>
    /// <param name="filters">(count, 3 F)</param>
    /// <param name="slopes">(count, 3 F) their derivatives by distance</param>
    /// <param name="sent">What <see cref="Later"/> was given, and derivatives.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void ReverseLater(in PairRows<T> frame, int start, int count, T* filters, T* slopes, in PaiNNMessageGradients<T> sent)
    {
        int n = width, l = TLanes.Count;
        T* context = sent.Context, before = sent.Before, byScalars = sent.ByScalars, byVectors = sent.ByVectors, byContext = sent.ByContext, byBefore = sent.ByBefore;
        for (int p = start; p < start + count; p++, filters += 3 * n, slopes += 3 * n)
        {
            long i = frame.First[p], j = frame.Second[p];
            T* xi = context + i * 3 * n, xj = context + j * 3 * n, oi = before + i * 3 * n, oj = before + j * 3 * n, d = frame.Directions + 4L * p;
            T* qi = byScalars + i * n, qj = byScalars + j * n, mi = byVectors + i * 3 * n, mj = byVectors + j * 3 * n;
            T* hi = byContext + i * 3 * n, hj = byContext + j * 3 * n, ni = byBefore + i * 3 * n, nj = byBefore + j * 3 * n;
            TLanes d0 = TLanes.All(d[0]), d1 = TLanes.All(d[1]), d2 = TLanes.All(d[2]);
            TLanes along = TLanes.Zero, g0 = along, g1 = along, g2 = along;
            for (int f = 0; f < n; f += l)
            {
                TLanes w = TLanes.Load(filters + f), gi = TLanes.Load(qi + f), gj = TLanes.Load(qj + f), a = TLanes.Load(xi + f), b = TLanes.Load(xj + f);
                TLanes.Store(hj + f, TLanes.Fma(w, gi, TLanes.Load(hj + f)));
                TLanes.Store(hi + f, TLanes.Fma(w, gj, TLanes.Load(hi + f)));
                along = TLanes.Fma(TLanes.Load(slopes + f), TLanes.Fma(a, gj, b * gi), along);

                TLanes i0 = TLanes.Load(mi + f), i1 = TLanes.Load(mi + n + f), i2 = TLanes.Load(mi + 2 * n + f);
                TLanes j0 = TLanes.Load(mj + f), j1 = TLanes.Load(mj + n + f), j2 = TLanes.Load(mj + 2 * n + f);
                TLanes si = TLanes.Fma(i2, d2, TLanes.Fma(i1, d1, i0 * d0)), sj = TLanes.Zero - TLanes.Fma(j2, d2, TLanes.Fma(j1, d1, j0 * d0));
                w = TLanes.Load(filters + n + f);
                a = TLanes.Load(xi + n + f);
                b = TLanes.Load(xj + n + f);
                TLanes.Store(hj + n + f, TLanes.Fma(w, si, TLanes.Load(hj + n + f)));
                TLanes.Store(hi + n + f, TLanes.Fma(w, sj, TLanes.Load(hi + n + f)));
                along = TLanes.Fma(TLanes.Load(slopes + n + f), TLanes.Fma(a, sj, b * si), along);
                (a, b) = (w * a, w * b);
                g0 = g0 + (b * i0 - a * j0);
                g1 = g1 + (b * i1 - a * j1);
                g2 = g2 + (b * i2 - a * j2);

                TLanes o0 = TLanes.Load(oj + f), o1 = TLanes.Load(oj + n + f), o2 = TLanes.Load(oj + 2 * n + f);
                si = TLanes.Fma(o2, i2, TLanes.Fma(o1, i1, o0 * i0));
                (o0, o1, o2) = (TLanes.Load(oi + f), TLanes.Load(oi + n + f), TLanes.Load(oi + 2 * n + f));
                sj = TLanes.Fma(o2, j2, TLanes.Fma(o1, j1, o0 * j0));
                w = TLanes.Load(filters + 2 * n + f);
                a = TLanes.Load(xi + 2 * n + f);
                b = TLanes.Load(xj + 2 * n + f);
                TLanes.Store(hj + 2 * n + f, TLanes.Fma(w, si, TLanes.Load(hj + 2 * n + f)));
                TLanes.Store(hi + 2 * n + f, TLanes.Fma(w, sj, TLanes.Load(hi + 2 * n + f)));
                along = TLanes.Fma(TLanes.Load(slopes + 2 * n + f), TLanes.Fma(a, sj, b * si), along);
                (a, b) = (w * a, w * b);
                TLanes.Store(nj + f, TLanes.Fma(b, i0, TLanes.Load(nj + f)));
                TLanes.Store(nj + n + f, TLanes.Fma(b, i1, TLanes.Load(nj + n + f)));
                TLanes.Store(nj + 2 * n + f, TLanes.Fma(b, i2, TLanes.Load(nj + 2 * n + f)));
                TLanes.Store(ni + f, TLanes.Fma(a, j0, TLanes.Load(ni + f)));
                TLanes.Store(ni + n + f, TLanes.Fma(a, j1, TLanes.Load(ni + n + f)));
                TLanes.Store(ni + 2 * n + f, TLanes.Fma(a, j2, TLanes.Load(ni + 2 * n + f)));
            }
            Add(frame.Gradients + 4L * p, along, g0, g1, g2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(T* gradient, TLanes along, TLanes g0, TLanes g1, TLanes g2)
    {
        gradient[0] += TLanes.Sum(along);
        gradient[1] += TLanes.Sum(g0);
        gradient[2] += TLanes.Sum(g1);
        gradient[3] += TLanes.Sum(g2);
    }
}

/// <summary>What a reverse pass over messages reads, and what it adds to.</summary>
internal unsafe struct PaiNNMessageGradients<T>
    where T : unmanaged
{
    /// <summary>(atoms, 3 F); (atoms, 3, F) vectors that were sent</summary>
    public T* Context, Before;

    /// <summary>(atoms, F); (atoms, 3, F) derivatives by what the messages were added to</summary>
    public T* ByScalars, ByVectors;

    /// <summary>(atoms, 3 F); (atoms, 3, F) added to</summary>
    public T* ByContext, ByBefore;
}
