using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// What Allegro does between products, over a block's edges. Components of features lie one after the other, (components, edges, U); environments are
/// (atoms, (L + 1)^2, U); weights of harmonics rows by edge, (L + 1, U).
/// </summary>
internal static unsafe class AllegroRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>to = p x + q y, p and q of each row; y may be absent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Blend(int rows, int width, T* p, T* x, int xStride, T* q, T* y, int yStride, T* to, int toStride)
    {
        for (int r = 0; r < rows; r++, x += xStride, y += yStride, to += toStride)
        {
            TLanes a = TLanes.All(p[r]);
            if (q == null)
            {
                for (int c = 0; c < width; c += TLanes.Count) TLanes.Store(to + c, a * TLanes.Load(x + c));
                continue;
            }
            TLanes b = TLanes.All(q[r]);
            for (int c = 0; c < width; c += TLanes.Count) TLanes.Store(to + c, TLanes.Fma(b, TLanes.Load(y + c), a * TLanes.Load(x + c)));
        }
    }

    /// <summary>to = p to + a x, a of each row or, if absent, 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Update(int rows, int width, T* a, T* to, int toStride, T p, T* x, int xStride)
    {
        TLanes factor = TLanes.All(p);
        for (int r = 0; r < rows; r++, x += xStride, to += toStride)
        {
            TLanes b = TLanes.All(a == null ? T.One : a[r]);
            for (int c = 0; c < width; c += TLanes.Count) TLanes.Store(to + c, TLanes.Fma(factor, TLanes.Load(to + c), b * TLanes.Load(x + c)));
        }
    }

    /// <summary>Rows a v of a vector v, or added to what is there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(int rows, int width, T* a, T* v, T* to, int toStride, bool add)
    {
        for (int r = 0; r < rows; r++, to += toStride)
        {
            TLanes b = TLanes.All(a[r]);
            for (int c = 0; c < width; c += TLanes.Count)
                TLanes.Store(to + c, add ? TLanes.Fma(b, TLanes.Load(v + c), TLanes.Load(to + c)) : b * TLanes.Load(v + c));
        }
    }

    /// <summary>sum += sum over rows of a x</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Collect(int rows, int width, T* a, T* x, int xStride, T* sum)
    {
        for (int c = 0; c < width; c += TLanes.Count)
        {
            TLanes s = TLanes.Load(sum + c);
            for (int r = 0; r < rows; r++) s = TLanes.Fma(TLanes.All(a[r]), TLanes.Load(x + (long)r * xStride + c), s);
            TLanes.Store(sum + c, s);
        }
    }

    /// <summary>x . v</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Dot(int width, T* x, T* v)
    {
        TLanes sum = TLanes.Zero;
        for (int c = 0; c < width; c += TLanes.Count) sum = TLanes.Fma(TLanes.Load(x + c), TLanes.Load(v + c), sum);
        return TLanes.Sum(sum);
    }

    /// <summary>Of each row by += scale (g . x); then g becomes a g.</summary>
    public static void Weigh(int rows, int width, T* g, int gStride, T* x, int xStride, T scale, T* by, T* a)
    {
        for (int r = 0; r < rows; r++, g += gStride, x += xStride)
        {
            by[r] += scale * Dot(width, g, x);
            TLanes factor = TLanes.All(a[r]);
            for (int c = 0; c < width; c += TLanes.Count) TLanes.Store(g + c, factor * TLanes.Load(g + c));
        }
    }

    /// <summary>Features w Y of edges, and w' Y + w Y' where there are tangents.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Features(in HarmonicRows<T> of, T* w, T* wDot, int stride, T* values, T* tangents)
    {
        int u = of.Channels;
        for (int j = 0; j < of.Components; j++)
        {
            int l = AllegroSettings.OrderOf(j) * u;
            T* to = values + (long)j * of.Edges * u, toDot = tangents + (long)j * of.Edges * u;
            for (int e = 0; e < of.Edges; e++, to += u, toDot += u)
            {
                T* row = w + (long)e * stride + l, rowDot = wDot + (long)e * stride + l;
                TLanes y = TLanes.All(of.Values[(long)e * of.Components + j]), yDot = wDot == null ? y : TLanes.All(of.Tangents[(long)e * of.Components + j]);
                for (int c = 0; c < u; c += TLanes.Count)
                {
                    TLanes value = TLanes.Load(row + c);
                    TLanes.Store(to + c, value * y);
                    if (wDot != null) TLanes.Store(toDot + c, TLanes.Fma(TLanes.Load(rowDot + c), y, value * yDot));
                }
            }
        }
    }

    /// <summary>Environments: sums of w Y over a receiver's edges, and of w' Y + w Y' where there are tangents.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Environments(in HarmonicRows<T> of, T* w, T* wDot, int stride, T* values, T* tangents)
    {
        int u = of.Channels;
        for (int a = 0; a < of.Atoms; a++)
        {
            int from = of.Starts[a] - of.Starts[0], to = of.Starts[a + 1] - of.Starts[0];
            for (int j = 0; j < of.Components; j++)
            {
                int l = AllegroSettings.OrderOf(j) * u;
                long place = ((long)a * of.Components + j) * u;
                for (int c = 0; c < u; c += TLanes.Count)
                {
                    TLanes sum = TLanes.Zero, sumDot = sum;
                    for (int e = from; e < to; e++)
                    {
                        long at = (long)e * stride + l + c;
                        TLanes y = TLanes.All(of.Values[(long)e * of.Components + j]), value = TLanes.Load(w + at);
                        sum = TLanes.Fma(value, y, sum);
                        if (wDot == null) continue;
                        sumDot = TLanes.Fma(value, TLanes.All(of.Tangents[(long)e * of.Components + j]), sumDot);
                        sumDot = TLanes.Fma(TLanes.Load(wDot + at), y, sumDot);
                    }
                    TLanes.Store(values + place + c, sum);
                    if (wDot != null) TLanes.Store(tangents + place + c, sumDot);
                }
            }
        }
    }

    /// <summary>
    /// Gradients by weights w from those g by w Y: sums of g Y over an order's components. With gradients h of S, whose tangent's g is, sums of
    /// h Y + g Y' beside.
    /// </summary>
    /// <param name="of">Harmonics.</param>
    /// <param name="g">Gradients.</param>
    /// <param name="h">Null: none.</param>
    /// <param name="step">Between components; rows are edges, or receivers where <paramref name="ofAtoms"/>.</param>
    /// <param name="ofAtoms">Whether g and h belong to receivers.</param>
    /// <param name="stride">Between rows of what is written.</param>
    /// <param name="byW">Written.</param>
    /// <param name="byWHat">Written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByWeights(in HarmonicRows<T> of, T* g, T* h, long step, bool ofAtoms, int stride, T* byW, T* byWHat)
    {
        int u = of.Channels;
        for (int a = 0; a < of.Atoms; a++)
        {
            for (int e = of.Starts[a] - of.Starts[0]; e < of.Starts[a + 1] - of.Starts[0]; e++)
            {
                T* y = of.Values + (long)e * of.Components, yDot = of.Tangents + (long)e * of.Components;
                long row = ofAtoms ? (long)a * of.Components * u : (long)e * u;
                for (int l = 0; l * l < of.Components; l++)
                {
                    for (int c = 0; c < u; c += TLanes.Count)
                    {
                        TLanes sum = TLanes.Zero, hat = sum;
                        for (int j = l * l; j < (l + 1) * (l + 1); j++)
                        {
                            TLanes factor = TLanes.All(y[j]), up = TLanes.Load(g + row + j * step + c);
                            sum = TLanes.Fma(up, factor, sum);
                            if (h == null) continue;
                            hat = TLanes.Fma(up, TLanes.All(yDot[j]), hat);
                            hat = TLanes.Fma(TLanes.Load(h + row + j * step + c), factor, hat);
                        }
                        long at = (long)e * stride + l * u + c;
                        TLanes.Store(byW + at, sum);
                        if (h != null) TLanes.Store(byWHat + at, hat);
                    }
                }
            }
        }
    }

    /// <summary>Adds to gradients by harmonics the sums over channels of g w.</summary>
    /// <param name="of">Harmonics.</param>
    /// <param name="g">Gradients by w Y.</param>
    /// <param name="step">Between components.</param>
    /// <param name="ofAtoms">Whether they belong to receivers.</param>
    /// <param name="w">Weights.</param>
    /// <param name="stride">Between their rows.</param>
    /// <param name="by">(edges, components)</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByHarmonics(in HarmonicRows<T> of, T* g, long step, bool ofAtoms, T* w, int stride, T* by)
    {
        int u = of.Channels;
        for (int a = 0; a < of.Atoms; a++)
        {
            for (int e = of.Starts[a] - of.Starts[0]; e < of.Starts[a + 1] - of.Starts[0]; e++)
            {
                long row = ofAtoms ? (long)a * of.Components * u : (long)e * u;
                for (int j = 0; j < of.Components; j++) by[(long)e * of.Components + j] += Dot(u, g + row + j * step, w + (long)e * stride + AllegroSettings.OrderOf(j) * u);
            }
        }
    }

    /// <summary>r (+)= sum of c a b over terms, for each result.</summary>
    public static void Product(in TermRows<T> terms, int width, T* a, T* b, T* r, bool add)
    {
        int c = 0;
        for (; c + 2 * TLanes.Count <= width; c += 2 * TLanes.Count) Two(terms, a + c, b + c, r + c, add);
        for (; c < width; c += TLanes.Count) One(terms, a + c, b + c, r + c, add);
    }

    /// <summary>The same, and with tangents, or gradients, p (+)= sum of c (a' b + a b').</summary>
    public static void Product(in TermRows<T> terms, int width, T* a, T* aDot, T* b, T* bDot, T* r, T* p, bool add)
    {
        for (int c = 0; c < width; c += TLanes.Count) Both(terms, a + c, aDot + c, b + c, bDot + c, r + c, p + c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(in TermRows<T> terms, T* a, T* b, T* r, bool add)
    {
        int l = TLanes.Count;
        TermPlace* term = terms.Places;
        T* value = terms.Values;
        for (int s = 0; s < terms.Results; s++)
        {
            T* to = r + terms.ResultPlaces[s];
            TLanes s0 = add ? TLanes.Load(to) : TLanes.Zero, s1 = add ? TLanes.Load(to + l) : TLanes.Zero;
            for (TermPlace* end = terms.Places + terms.Starts[s + 1]; term < end; term++, value++)
            {
                TLanes c = TLanes.All(*value);
                T* x = a + term->First, y = b + term->Second;
                s0 = TLanes.Fma(c * TLanes.Load(x), TLanes.Load(y), s0);
                s1 = TLanes.Fma(c * TLanes.Load(x + l), TLanes.Load(y + l), s1);
            }
            TLanes.Store(to, s0);
            TLanes.Store(to + l, s1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(in TermRows<T> terms, T* a, T* b, T* r, bool add)
    {
        TermPlace* term = terms.Places;
        T* value = terms.Values;
        for (int s = 0; s < terms.Results; s++)
        {
            T* to = r + terms.ResultPlaces[s];
            TLanes sum = add ? TLanes.Load(to) : TLanes.Zero;
            for (TermPlace* end = terms.Places + terms.Starts[s + 1]; term < end; term++, value++)
                sum = TLanes.Fma(TLanes.All(*value) * TLanes.Load(a + term->First), TLanes.Load(b + term->Second), sum);
            TLanes.Store(to, sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Both(in TermRows<T> terms, T* a, T* aDot, T* b, T* bDot, T* r, T* p, bool add)
    {
        TermPlace* term = terms.Places;
        T* value = terms.Values;
        for (int s = 0; s < terms.Results; s++)
        {
            long place = terms.ResultPlaces[s];
            TLanes sum = add ? TLanes.Load(r + place) : TLanes.Zero, dot = add ? TLanes.Load(p + place) : TLanes.Zero, more = TLanes.Zero;
            for (TermPlace* end = terms.Places + terms.Starts[s + 1]; term < end; term++, value++)
            {
                TLanes c = TLanes.All(*value), x = c * TLanes.Load(a + term->First), y = TLanes.Load(b + term->Second);
                sum = TLanes.Fma(x, y, sum);
                dot = TLanes.Fma(x, TLanes.Load(bDot + term->Second), dot);
                more = TLanes.Fma(c * TLanes.Load(aDot + term->First), y, more);
            }
            TLanes.Store(r + place, sum);
            TLanes.Store(p + place, dot + more);
        }
    }
}

/// <summary>Harmonics of a block's edges, and which receiver each edge has.</summary>
internal unsafe struct HarmonicRows<T>
    where T : unmanaged
{
    public int Atoms, Edges, Components, Channels;

    /// <summary>(atoms + 1) first edges of the receivers, of the batch</summary>
    public int* Starts;

    /// <summary>(edges, components)</summary>
    public T* Values, Tangents;
}

/// <summary>Where the factors of a term lie, from an edge's own.</summary>
internal readonly record struct TermPlace(int First, int Second);

/// <summary>Terms of a bilinear map, result after result.</summary>
internal unsafe struct TermRows<T>
    where T : unmanaged
{
    public int Results;

    /// <summary>(results + 1)</summary>
    public int* Starts;

    /// <summary>(results) where each lies</summary>
    public int* ResultPlaces;

    /// <summary>(terms)</summary>
    public TermPlace* Places;

    /// <summary>(terms)</summary>
    public T* Values;
}
