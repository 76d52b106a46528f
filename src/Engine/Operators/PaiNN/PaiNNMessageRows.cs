using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>
/// PaiNN's message over a chunk of pairs: with [a | b | c] = x_j w of an edge j -> i, q_i += a and mu_i += b u + c mu_j. Rows of atoms are found by their
/// place in the batch, rows of filters by the pair's in the chunk: 2 p (w) and 2 p + 1 (w' = dw/dd). Without mu there is no third part.
/// </summary>
internal static unsafe class PaiNNMessageRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>q and mu, added to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in PairSpan pairs, int f, T* filters, T* geometry, T* x, T* mu, T* context, T* mu1)
    {
        for (int p = 0; p < pairs.Count; p++)
        {
            (long i, long j) = pairs.Ends(p);
            T sign = T.One;
            for (int way = 0; way < (pairs.BothWays ? 2 : 1); way++, (i, j) = (j, i), sign = -sign)
            {
                T* w = filters + 6L * p * f, xj = x + 3 * j * f, muJ = mu + 3 * j * f, q = context + 2 * i * f, m = mu1 + 3 * i * f;
                Vector3<TLanes, T> u = Vector3<TLanes, T>.All(geometry + (pairs.Place + p) * (long)PairRadial.Geometry, sign);
                for (int c = 0; c < f; c += TLanes.Count)
                {
                    TLanes.Store(q + c, TLanes.Fma(TLanes.Load(w + c), TLanes.Load(xj + c), TLanes.Load(q + c)));
                    TLanes b = TLanes.Multiply(TLanes.Load(w + f + c), TLanes.Load(xj + f + c));
                    Vector3<TLanes, T> sum = Vector3<TLanes, T>.Fma(b, u, Vector3<TLanes, T>.Load(m + c, f));
                    if (mu != null)
                    {
                        TLanes third = TLanes.Multiply(TLanes.Load(w + 2 * f + c), TLanes.Load(xj + 2 * f + c));
                        sum = Vector3<TLanes, T>.Fma(third, Vector3<TLanes, T>.Load(muJ + c, f), sum);
                    }
                    Vector3<TLanes, T>.Store(m + c, f, sum);
                }
            }
        }
    }

    /// <summary>
    /// Gradients of E: g by q_i and h by mu_i. With P = [g | u . h | mu_j . h]: by d the sum of x w' P, by u of x_b w_b h; by x_j w P, by mu_j x_c w_c h,
    /// which are added to where there is mu.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reverse(in PairSpan pairs, int f, T* filters, T* geometry, T* x, T* mu, T* byQ, T* byMu1, T* byX, T* byMu, T* sums)
    {
        for (int p = 0; p < pairs.Count; p++, sums += 4)
        {
            (long i, long j) = pairs.Ends(p);
            T* w = filters + 6L * p * f, slope = w + 3 * f;
            T sign = T.One;
            for (int way = 0; way < (pairs.BothWays ? 2 : 1); way++, (i, j) = (j, i), sign = -sign)
            {
                T* xj = x + 3 * j * f, muJ = mu + 3 * j * f, gi = byQ + i * f, hi = byMu1 + 3 * i * f, bx = byX + 3 * j * f, bm = byMu + 3 * j * f;
                Vector3<TLanes, T> u = Vector3<TLanes, T>.All(geometry + (pairs.Place + p) * (long)PairRadial.Geometry, sign), byU = default;
                TLanes byD = TLanes.Zero;
                for (int c = 0; c < f; c += TLanes.Count)
                {
                    Vector3<TLanes, T> h = Vector3<TLanes, T>.Load(hi + c, f);
                    TLanes g = TLanes.Load(gi + c), dot = Vector3<TLanes, T>.Dot(u, h), xa = TLanes.Load(xj + c), xb = TLanes.Load(xj + f + c);
                    TLanes wb = TLanes.Load(w + f + c);
                    byD = TLanes.Fma(TLanes.Multiply(xa, g), TLanes.Load(slope + c), byD);
                    byD = TLanes.Fma(TLanes.Multiply(xb, dot), TLanes.Load(slope + f + c), byD);
                    byU = Vector3<TLanes, T>.Fma(TLanes.Multiply(xb, wb), h, byU);
                    if (mu == null) continue;
                    Vector3<TLanes, T> m = Vector3<TLanes, T>.Load(muJ + c, f);
                    TLanes third = Vector3<TLanes, T>.Dot(m, h), xc = TLanes.Load(xj + 2 * f + c), wc = TLanes.Load(w + 2 * f + c);
                    byD = TLanes.Fma(TLanes.Multiply(xc, third), TLanes.Load(slope + 2 * f + c), byD);
                    TLanes.Store(bx + c, TLanes.Fma(TLanes.Load(w + c), g, TLanes.Load(bx + c)));
                    TLanes.Store(bx + f + c, TLanes.Fma(wb, dot, TLanes.Load(bx + f + c)));
                    TLanes.Store(bx + 2 * f + c, TLanes.Fma(wc, third, TLanes.Load(bx + 2 * f + c)));
                    Vector3<TLanes, T> sum = Vector3<TLanes, T>.Load(bm + c, f);
                    Vector3<TLanes, T>.Store(bm + c, f, Vector3<TLanes, T>.Fma(TLanes.Multiply(xc, wc), h, sum));
                }
                sums[0] += sign * TLanes.Sum(byU.X);
                sums[1] += sign * TLanes.Sum(byU.Y);
                sums[2] += sign * TLanes.Sum(byU.Z);
                sums[3] += TLanes.Sum(byD);
            }
        }
    }

    /// <summary>Tangents of q and mu, added to; those of x and mu that came in are null in the first layer, where they are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Tangents(in PairSpan pairs, int f, T* filters, T* geometry, T* motion, T* x, T* mu, PaiNNTangents<T> dot, T* contextDot, T* mu1Dot)
    {
        for (int p = 0; p < pairs.Count; p++, motion += 4)
        {
            (long i, long j) = pairs.Ends(p);
            T* w = filters + 6L * p * f, slope = w + 3 * f;
            TLanes d = TLanes.All(motion[3]);
            T sign = T.One;
            for (int way = 0; way < (pairs.BothWays ? 2 : 1); way++, (i, j) = (j, i), sign = -sign)
            {
                T* xj = x + 3 * j * f, muJ = mu + 3 * j * f, xDot = dot.X + 3 * j * f, muDot = dot.Mu + 3 * j * f, q = contextDot + 2 * i * f, m = mu1Dot + 3 * i * f;
                Vector3<TLanes, T> u = Vector3<TLanes, T>.All(geometry + (pairs.Place + p) * (long)PairRadial.Geometry, sign);
                Vector3<TLanes, T> uDot = Vector3<TLanes, T>.All(motion, sign);
                for (int c = 0; c < f; c += TLanes.Count)
                {
                    TLanes xa = TLanes.Load(xj + c), xb = TLanes.Load(xj + f + c), wa = TLanes.Load(w + c), wb = TLanes.Load(w + f + c);
                    TLanes aDot = TLanes.Multiply(xa, TLanes.Multiply(TLanes.Load(slope + c), d));
                    TLanes bDot = TLanes.Multiply(xb, TLanes.Multiply(TLanes.Load(slope + f + c), d));
                    Vector3<TLanes, T> sum = Vector3<TLanes, T>.Fma(TLanes.Multiply(xb, wb), uDot, Vector3<TLanes, T>.Load(m + c, f));
                    if (mu != null)
                    {
                        TLanes xc = TLanes.Load(xj + 2 * f + c), wc = TLanes.Load(w + 2 * f + c);
                        (aDot, bDot) = (TLanes.Fma(TLanes.Load(xDot + c), wa, aDot), TLanes.Fma(TLanes.Load(xDot + f + c), wb, bDot));
                        TLanes cDot = TLanes.Multiply(xc, TLanes.Multiply(TLanes.Load(slope + 2 * f + c), d));
                        cDot = TLanes.Fma(TLanes.Load(xDot + 2 * f + c), wc, cDot);
                        sum = Vector3<TLanes, T>.Fma(cDot, Vector3<TLanes, T>.Load(muJ + c, f), sum);
                        sum = Vector3<TLanes, T>.Fma(TLanes.Multiply(xc, wc), Vector3<TLanes, T>.Load(muDot + c, f), sum);
                    }
                    TLanes.Store(q + c, TLanes.Add(TLanes.Load(q + c), aDot));
                    Vector3<TLanes, T>.Store(m + c, f, Vector3<TLanes, T>.Fma(bDot, u, sum));
                }
            }
        }
    }

    /// <summary>
    /// Gradients of S: with g, h of E and G, H of S by q_i and mu_i, P as above and Q = [G | u . H + u' . h | mu_j . H + mu'_j . h]: by w x Q + x' P, by w'
    /// d' x P, by x_j w Q + d' w' P, by mu_j x_c w_c H + (x'_c w_c + d' x_c w'_c) h.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adjoints(
        in PairSpan pairs, int f, T* filters, T* geometry, T* motion, PaiNNTangents<T> dot, in PaiNNMessageAdjoints<T> of, T* byW)
    {
        bool vectors = of.Mu != null;
        for (int p = 0; p < pairs.Count; p++, motion += 4, byW += 6 * f)
        {
            (long i, long j) = pairs.Ends(p);
            T* w = filters + 6L * p * f, slope = w + 3 * f, byWDot = byW + 3 * f;
            TLanes d = TLanes.All(motion[3]);
            T sign = T.One;
            for (int way = 0; way < (pairs.BothWays ? 2 : 1); way++, (i, j) = (j, i), sign = -sign)
            {
                T* xj = of.X + 3 * j * f, muJ = of.Mu + 3 * j * f, xDot = dot.X + 3 * j * f, muDot = dot.Mu + 3 * j * f;
                T* gi = of.FirstByQ + i * f, hi = of.FirstByMu + 3 * i * f, ggi = of.ByQ + i * f, hhi = of.ByMu1 + 3 * i * f;
                T* bx = of.ByX + 3 * j * f, bm = of.ByMu + 3 * j * f;
                Vector3<TLanes, T> u = Vector3<TLanes, T>.All(geometry + (pairs.Place + p) * (long)PairRadial.Geometry, sign);
                Vector3<TLanes, T> uDot = Vector3<TLanes, T>.All(motion, sign);
                for (int c = 0; c < f; c += TLanes.Count)
                {
                    Vector3<TLanes, T> h = Vector3<TLanes, T>.Load(hi + c, f), hh = Vector3<TLanes, T>.Load(hhi + c, f);
                    TLanes pa = TLanes.Load(gi + c), qa = TLanes.Load(ggi + c), pb = Vector3<TLanes, T>.Dot(u, h);
                    TLanes qb = TLanes.Add(Vector3<TLanes, T>.Dot(u, hh), Vector3<TLanes, T>.Dot(uDot, h));
                    TLanes xa = TLanes.Load(xj + c), xb = TLanes.Load(xj + f + c);
                    TLanes byA = TLanes.Multiply(xa, qa), byB = TLanes.Multiply(xb, qb), byC = TLanes.Zero, byCDot = TLanes.Zero;
                    TLanes.Store(bx + c, Sum(w + c, qa, TLanes.Multiply(TLanes.Load(slope + c), d), pa, bx + c));
                    TLanes.Store(bx + f + c, Sum(w + f + c, qb, TLanes.Multiply(TLanes.Load(slope + f + c), d), pb, bx + f + c));
                    if (vectors)
                    {
                        Vector3<TLanes, T> m = Vector3<TLanes, T>.Load(muJ + c, f), mDot = Vector3<TLanes, T>.Load(muDot + c, f);
                        TLanes pc = Vector3<TLanes, T>.Dot(m, h);
                        TLanes qc = TLanes.Add(Vector3<TLanes, T>.Dot(m, hh), Vector3<TLanes, T>.Dot(mDot, h));
                        TLanes xc = TLanes.Load(xj + 2 * f + c), xcDot = TLanes.Load(xDot + 2 * f + c), wc = TLanes.Load(w + 2 * f + c);
                        TLanes slopeC = TLanes.Multiply(TLanes.Load(slope + 2 * f + c), d);
                        (byA, byB) = (TLanes.Fma(TLanes.Load(xDot + c), pa, byA), TLanes.Fma(TLanes.Load(xDot + f + c), pb, byB));
                        (byC, byCDot) = (TLanes.Fma(xc, qc, TLanes.Multiply(xcDot, pc)), TLanes.Multiply(TLanes.Multiply(xc, pc), d));
                        TLanes.Store(bx + 2 * f + c, Sum(w + 2 * f + c, qc, slopeC, pc, bx + 2 * f + c));
                        TLanes ofH = TLanes.Fma(xcDot, wc, TLanes.Multiply(xc, slopeC));
                        Vector3<TLanes, T> sum = Vector3<TLanes, T>.Fma(ofH, h, Vector3<TLanes, T>.Load(bm + c, f));
                        Vector3<TLanes, T>.Store(bm + c, f, Vector3<TLanes, T>.Fma(TLanes.Multiply(xc, wc), hh, sum));
                    }
                    TLanes byADot = TLanes.Multiply(TLanes.Multiply(xa, pa), d), byBDot = TLanes.Multiply(TLanes.Multiply(xb, pb), d);
                    if (way > 0)
                    {
                        (byA, byB, byC) = (TLanes.Add(byA, TLanes.Load(byW + c)), TLanes.Add(byB, TLanes.Load(byW + f + c)), TLanes.Add(byC, TLanes.Load(byW + 2 * f + c)));
                        (byADot, byBDot) = (TLanes.Add(byADot, TLanes.Load(byWDot + c)), TLanes.Add(byBDot, TLanes.Load(byWDot + f + c)));
                        byCDot = TLanes.Add(byCDot, TLanes.Load(byWDot + 2 * f + c));
                    }
                    TLanes.Store(byW + c, byA);
                    TLanes.Store(byW + f + c, byB);
                    TLanes.Store(byW + 2 * f + c, byC);
                    TLanes.Store(byWDot + c, byADot);
                    TLanes.Store(byWDot + f + c, byBDot);
                    TLanes.Store(byWDot + 2 * f + c, byCDot);
                }
            }
        }
    }

    /// <summary>w q + slope p + sum</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Sum(T* w, TLanes q, TLanes slope, TLanes p, T* sum) => TLanes.Fma(TLanes.Load(w), q, TLanes.Fma(slope, p, TLanes.Load(sum)));
}

/// <summary>What the backward pass of messages reads and adds to; rows by the atoms' places in the batch.</summary>
/// <param name="X">x</param>
/// <param name="Mu">mu; null: zero</param>
/// <param name="FirstByQ">Gradients of E by q after the message.</param>
/// <param name="FirstByMu">Those by mu after it.</param>
/// <param name="ByQ">Gradients of S by q after the message.</param>
/// <param name="ByMu1">Those by mu after it.</param>
/// <param name="ByX">Gradients of S by x, added to.</param>
/// <param name="ByMu">Those by mu before it.</param>
internal readonly unsafe struct PaiNNMessageAdjoints<T>(T* X, T* Mu, T* FirstByQ, T* FirstByMu, T* ByQ, T* ByMu1, T* ByX, T* ByMu)
    where T : unmanaged
{
    public T* X { get; } = X;

    public T* Mu { get; } = Mu;

    public T* FirstByQ { get; } = FirstByQ;

    public T* FirstByMu { get; } = FirstByMu;

    public T* ByQ { get; } = ByQ;

    public T* ByMu1 { get; } = ByMu1;

    public T* ByX { get; } = ByX;

    public T* ByMu { get; } = ByMu;
}
