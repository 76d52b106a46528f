using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>Rows of a block of atoms in one layer.</summary>
/// <param name="Context">(atoms, 2 F) q and the norms, after the message</param>
/// <param name="Mu1">(atoms, 3, F) mu after the message</param>
/// <param name="Mixed">(atoms, 3, 2 F) V and W</param>
/// <param name="Y">(atoms, 3 F) a, b, c of the update</param>
internal readonly unsafe struct PaiNNLayerRows<T>(T* Context, T* Mu1, T* Mixed, T* Y)
    where T : unmanaged
{
    public T* Context { get; } = Context;

    public T* Mu1 { get; } = Mu1;

    public T* Mixed { get; } = Mixed;

    public T* Y { get; } = Y;
}

/// <summary>Tangents of a layer's values, of a block's atoms.</summary>
internal unsafe struct PaiNNTangents<T>
    where T : unmanaged
{
    public T* Q, Mu, Z1, X, Context, Mu1, Mixed, Z2, Y;

    /// <summary>What messages read, by the atoms' places in the batch.</summary>
    /// <param name="first">F times the block's first atom.</param>
    public readonly PaiNNTangents<T> Shifted(long first) => new() { X = X - 3 * first, Mu = Mu - 3 * first };
}

/// <summary>Gradients by a layer's outputs and by its norms: those of E, then those of S. Null: zero.</summary>
internal readonly unsafe struct PaiNNMixedGradients<T>(T* FirstByQ, T* FirstByMu, T* FirstByNorm, T* ByQ, T* ByMu, T* ByNorm)
    where T : unmanaged
{
    public T* FirstByQ { get; } = FirstByQ;

    public T* FirstByMu { get; } = FirstByMu;

    public T* FirstByNorm { get; } = FirstByNorm;

    public T* ByQ { get; } = ByQ;

    public T* ByMu { get; } = ByMu;

    public T* ByNorm { get; } = ByNorm;
}

/// <summary>
/// What PaiNN does between products within each atom: norms v = sqrt(V . V + epsilon), products p = V . W, q' = q + a + c p, mu' = mu + b W. A dot
/// marks tangents; gradients of E are called first, as the first reverse pass found them.
/// </summary>
internal static unsafe class PaiNNRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The first half of each row of the context is q.</summary>
    public static void ToContext(int atoms, int f, T* q, T* context)
    {
        for (int i = 0; i < atoms; i++) Unsafe.CopyBlock(context + 2L * i * f, q + (long)i * f, (uint)(f * sizeof(T)));
    }

    /// <summary>Norms to the second half of the context, and products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Invariants(int atoms, int f, T epsilon, T* mixed, T* context, T* product)
    {
        TLanes small = TLanes.All(epsilon);
        for (int i = 0; i < atoms; i++, mixed += 6 * f, context += 2 * f, product += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                Vector3<TLanes, T> v = Vector3<TLanes, T>.Load(mixed + c, 2 * f);
                TLanes.Store(context + f + c, TLanes.Sqrt(TLanes.Add(Vector3<TLanes, T>.Dot(v, v), small)));
                TLanes.Store(product + c, Vector3<TLanes, T>.Dot(v, Vector3<TLanes, T>.Load(mixed + f + c, 2 * f)));
            }
        }
    }

    /// <summary>q', and mu' where it is wanted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Update(int atoms, int f, PaiNNLayerRows<T> of, T* product, T* q, T* mu)
    {
        for (int i = 0; i < atoms; i++)
        {
            T* context = of.Context + 2L * i * f, y = of.Y + 3L * i * f, mixed = of.Mixed + 6L * i * f, mu1 = of.Mu1 + 3L * i * f;
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes sum = TLanes.Add(TLanes.Load(context + c), TLanes.Load(y + c));
                TLanes.Store(q + (long)i * f + c, TLanes.Fma(TLanes.Load(y + 2 * f + c), TLanes.Load(product + (long)i * f + c), sum));
                if (mu == null) continue;
                Vector3<TLanes, T> w = Vector3<TLanes, T>.Load(mixed + f + c, 2 * f), before = Vector3<TLanes, T>.Load(mu1 + c, f);
                Vector3<TLanes, T>.Store(mu + 3L * i * f + c, f, Vector3<TLanes, T>.Fma(TLanes.Load(y + f + c), w, before));
            }
        }
    }

    /// <summary>Gradients of E by a, b, c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByUpdate(int atoms, int f, PaiNNLayerRows<T> of, T* byQ, T* byMu, T* byY)
    {
        for (int i = 0; i < atoms; i++, byQ += f, byY += 3 * f)
        {
            T* mixed = of.Mixed + 6L * i * f;
            for (int c = 0; c < f; c += TLanes.Count)
            {
                Vector3<TLanes, T> v = Vector3<TLanes, T>.Load(mixed + c, 2 * f), w = Vector3<TLanes, T>.Load(mixed + f + c, 2 * f);
                TLanes up = TLanes.Load(byQ + c);
                TLanes.Store(byY + c, up);
                TLanes.Store(byY + f + c, byMu == null ? TLanes.Zero : Vector3<TLanes, T>.Dot(Vector3<TLanes, T>.Load(byMu + 3L * i * f + c, f), w));
                TLanes.Store(byY + 2 * f + c, TLanes.Multiply(up, Vector3<TLanes, T>.Dot(v, w)));
            }
        }
    }

    /// <summary>Of gradients by the context: those by q before the update, and by the norms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByContext(int atoms, int f, T* byContext, T* byQ, T* byQ1, T* byNorm)
    {
        for (int i = 0; i < atoms; i++, byContext += 2 * f, byQ += f, byQ1 += f, byNorm += f)
        {
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes.Store(byQ1 + c, TLanes.Add(TLanes.Load(byQ + c), TLanes.Load(byContext + c)));
                TLanes.Store(byNorm + c, TLanes.Load(byContext + f + c));
            }
        }
    }

    /// <summary>Gradients of E by V and W: by V those by its norm and product; by W those by the product and by mu'.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByMixed(int atoms, int f, PaiNNLayerRows<T> of, T* byQ, T* byMu, T* byNorm, T* byMixed)
    {
        for (int i = 0; i < atoms; i++, byMixed += 6 * f)
        {
            T* context = of.Context + 2L * i * f, y = of.Y + 3L * i * f, mixed = of.Mixed + 6L * i * f;
            for (int c = 0; c < f; c += TLanes.Count)
            {
                Vector3<TLanes, T> v = Vector3<TLanes, T>.Load(mixed + c, 2 * f), w = Vector3<TLanes, T>.Load(mixed + f + c, 2 * f);
                TLanes product = TLanes.Multiply(TLanes.Load(byQ + (long)i * f + c), TLanes.Load(y + 2 * f + c));
                TLanes norm = TLanes.Divide(TLanes.Load(byNorm + (long)i * f + c), TLanes.Load(context + f + c));
                Vector3<TLanes, T>.Store(byMixed + c, 2 * f, Vector3<TLanes, T>.Fma(norm, v, Vector3<TLanes, T>.Multiply(product, w)));
                Vector3<TLanes, T> byW = Vector3<TLanes, T>.Multiply(product, v);
                if (byMu != null) byW = Vector3<TLanes, T>.Fma(TLanes.Load(y + f + c), Vector3<TLanes, T>.Load(byMu + 3L * i * f + c, f), byW);
                Vector3<TLanes, T>.Store(byMixed + f + c, 2 * f, byW);
            }
        }
    }

    /// <summary>Tangents of the norms, V . V' / v.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InvariantTangents(int atoms, int f, PaiNNLayerRows<T> of, PaiNNTangents<T> dot)
    {
        for (int i = 0; i < atoms; i++)
        {
            T* context = of.Context + 2L * i * f, contextDot = dot.Context + 2L * i * f, mixed = of.Mixed + 6L * i * f, mixedDot = dot.Mixed + 6L * i * f;
            for (int c = 0; c < f; c += TLanes.Count)
            {
                TLanes sum = Vector3<TLanes, T>.Dot(Vector3<TLanes, T>.Load(mixed + c, 2 * f), Vector3<TLanes, T>.Load(mixedDot + c, 2 * f));
                TLanes.Store(contextDot + f + c, TLanes.Divide(sum, TLanes.Load(context + f + c)));
            }
        }
    }

    /// <summary>Tangents of q' and, where it is wanted, mu'.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void UpdateTangents(int atoms, int f, PaiNNLayerRows<T> of, PaiNNTangents<T> dot, T* qDot, T* muDot)
    {
        for (int i = 0; i < atoms; i++)
        {
            T* y = of.Y + 3L * i * f, yDot = dot.Y + 3L * i * f, mixed = of.Mixed + 6L * i * f, mixedDot = dot.Mixed + 6L * i * f;
            T* contextDot = dot.Context + 2L * i * f, mu1Dot = dot.Mu1 + 3L * i * f;
            for (int c = 0; c < f; c += TLanes.Count)
            {
                Vector3<TLanes, T> v = Vector3<TLanes, T>.Load(mixed + c, 2 * f), w = Vector3<TLanes, T>.Load(mixed + f + c, 2 * f);
                Vector3<TLanes, T> vDot = Vector3<TLanes, T>.Load(mixedDot + c, 2 * f), wDot = Vector3<TLanes, T>.Load(mixedDot + f + c, 2 * f);
                TLanes productDot = TLanes.Add(Vector3<TLanes, T>.Dot(vDot, w), Vector3<TLanes, T>.Dot(v, wDot));
                TLanes sum = TLanes.Add(TLanes.Load(contextDot + c), TLanes.Load(yDot + c));
                sum = TLanes.Fma(TLanes.Load(yDot + 2 * f + c), Vector3<TLanes, T>.Dot(v, w), sum);
                TLanes.Store(qDot + (long)i * f + c, TLanes.Fma(TLanes.Load(y + 2 * f + c), productDot, sum));
                if (muDot == null) continue;
                Vector3<TLanes, T> mu = Vector3<TLanes, T>.Fma(TLanes.Load(yDot + f + c), w, Vector3<TLanes, T>.Load(mu1Dot + c, f));
                Vector3<TLanes, T>.Store(muDot + 3L * i * f + c, f, Vector3<TLanes, T>.Fma(TLanes.Load(y + f + c), wDot, mu));
            }
        }
    }

    /// <summary>Gradients of S by a, b, c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void UpdateAdjoints(int atoms, int f, PaiNNLayerRows<T> of, PaiNNTangents<T> dot, T* firstByQ, T* firstByMu, T* byQ, T* byMu, T* byY)
    {
        for (int i = 0; i < atoms; i++, byY += 3 * f)
        {
            T* mixed = of.Mixed + 6L * i * f, mixedDot = dot.Mixed + 6L * i * f;
            for (int c = 0; c < f; c += TLanes.Count)
            {
                Vector3<TLanes, T> v = Vector3<TLanes, T>.Load(mixed + c, 2 * f), w = Vector3<TLanes, T>.Load(mixed + f + c, 2 * f);
                Vector3<TLanes, T> vDot = Vector3<TLanes, T>.Load(mixedDot + c, 2 * f), wDot = Vector3<TLanes, T>.Load(mixedDot + f + c, 2 * f);
                TLanes up = TLanes.Load(byQ + (long)i * f + c), first = TLanes.Load(firstByQ + (long)i * f + c);
                TLanes productDot = TLanes.Add(Vector3<TLanes, T>.Dot(vDot, w), Vector3<TLanes, T>.Dot(v, wDot));
                TLanes.Store(byY + c, up);
                TLanes.Store(byY + 2 * f + c, TLanes.Fma(up, Vector3<TLanes, T>.Dot(v, w), TLanes.Multiply(first, productDot)));
                TLanes b = TLanes.Zero;
                if (byMu != null)
                {
                    b = Vector3<TLanes, T>.Dot(Vector3<TLanes, T>.Load(byMu + 3L * i * f + c, f), w);
                    b = TLanes.Add(b, Vector3<TLanes, T>.Dot(Vector3<TLanes, T>.Load(firstByMu + 3L * i * f + c, f), wDot));
                }
                TLanes.Store(byY + f + c, b);
            }
        }
    }

    /// <summary>Gradients of S by V and W.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MixedAdjoints(int atoms, int f, PaiNNLayerRows<T> of, PaiNNTangents<T> dot, PaiNNMixedGradients<T> g, T* byMixed)
    {
        for (int i = 0; i < atoms; i++, byMixed += 6 * f)
        {
            long row = (long)i * f;
            T* context = of.Context + 2 * row, contextDot = dot.Context + 2 * row, y = of.Y + 3 * row, yDot = dot.Y + 3 * row;
            T* mixed = of.Mixed + 6 * row, mixedDot = dot.Mixed + 6 * row;
            for (int c = 0; c < f; c += TLanes.Count)
            {
                Vector3<TLanes, T> v = Vector3<TLanes, T>.Load(mixed + c, 2 * f), w = Vector3<TLanes, T>.Load(mixed + f + c, 2 * f);
                Vector3<TLanes, T> vDot = Vector3<TLanes, T>.Load(mixedDot + c, 2 * f), wDot = Vector3<TLanes, T>.Load(mixedDot + f + c, 2 * f);
                TLanes inverse = TLanes.Divide(TLanes.All(T.One), TLanes.Load(context + f + c)), normDot = TLanes.Load(contextDot + f + c);
                TLanes firstByQ = TLanes.Load(g.FirstByQ + row + c), ofC = TLanes.Load(y + 2 * f + c);
                TLanes firstByProduct = TLanes.Multiply(firstByQ, ofC), firstByNorm = TLanes.Multiply(TLanes.Load(g.FirstByNorm + row + c), inverse);
                TLanes byProduct = TLanes.Fma(TLanes.Load(g.ByQ + row + c), ofC, TLanes.Multiply(firstByQ, TLanes.Load(yDot + 2 * f + c)));
                // dv/dV = V / v, and d(V . V' / v)/dV = V' / v - V v' / v^2
                TLanes ofV = TLanes.Multiply(TLanes.Load(g.ByNorm + row + c), inverse);
                ofV = TLanes.Subtract(ofV, TLanes.Multiply(firstByNorm, TLanes.Multiply(normDot, inverse)));
                Vector3<TLanes, T> byV = Vector3<TLanes, T>.Fma(firstByNorm, vDot, Vector3<TLanes, T>.Multiply(ofV, v));
                Vector3<TLanes, T>.Store(byMixed + c, 2 * f, Vector3<TLanes, T>.Fma(byProduct, w, Vector3<TLanes, T>.Fma(firstByProduct, wDot, byV)));
                Vector3<TLanes, T> byW = Vector3<TLanes, T>.Fma(byProduct, v, Vector3<TLanes, T>.Multiply(firstByProduct, vDot));
                if (g.ByMu != null)
                {
                    byW = Vector3<TLanes, T>.Fma(TLanes.Load(y + f + c), Vector3<TLanes, T>.Load(g.ByMu + 3 * row + c, f), byW);
                    byW = Vector3<TLanes, T>.Fma(TLanes.Load(yDot + f + c), Vector3<TLanes, T>.Load(g.FirstByMu + 3 * row + c, f), byW);
                }
                Vector3<TLanes, T>.Store(byMixed + f + c, 2 * f, byW);
            }
        }
    }

    /// <summary>dE/dr = g_d u + (g_u - u (u . g_u)) / d of a chunk, from rows g_u, g_d.</summary>
    public static void ByVectors(PairRange chunk, T* geometry, T* sums, T* byVectors)
    {
        for (int p = 0; p < chunk.Count; p++, sums += 4)
        {
            T* g = geometry + (long)PairRadial.Geometry * (chunk.Place + p), by = byVectors + 3L * (chunk.First + p);
            T along = sums[3] - (g[0] * sums[0] + g[1] * sums[1] + g[2] * sums[2]) * g[3];
            (by[0], by[1], by[2]) = (along * g[0] + sums[0] * g[3], along * g[1] + sums[1] * g[3], along * g[2] + sums[2] * g[3]);
        }
    }
}

/// <summary>Lanes of x, y and z.</summary>
internal readonly unsafe struct Vector3<TLanes, T>(TLanes x, TLanes y, TLanes z)
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public readonly TLanes X = x, Y = y, Z = z;

    /// <param name="at">x</param>
    /// <param name="stride">To y, and to z.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector3<TLanes, T> Load(T* at, int stride) => new(TLanes.Load(at), TLanes.Load(at + stride), TLanes.Load(at + 2 * stride));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* at, int stride, Vector3<TLanes, T> v)
    {
        TLanes.Store(at, v.X);
        TLanes.Store(at + stride, v.Y);
        TLanes.Store(at + 2 * stride, v.Z);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Dot(Vector3<TLanes, T> a, Vector3<TLanes, T> b) => TLanes.Fma(a.Z, b.Z, TLanes.Fma(a.Y, b.Y, TLanes.Multiply(a.X, b.X)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector3<TLanes, T> Multiply(TLanes s, Vector3<TLanes, T> v) => new(TLanes.Multiply(s, v.X), TLanes.Multiply(s, v.Y), TLanes.Multiply(s, v.Z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector3<TLanes, T> Fma(TLanes s, Vector3<TLanes, T> v, Vector3<TLanes, T> sum) =>
        new(TLanes.Fma(s, v.X, sum.X), TLanes.Fma(s, v.Y, sum.Y), TLanes.Fma(s, v.Z, sum.Z));

    /// <summary>The same vector in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector3<TLanes, T> All(T* xyz, T factor) => new(TLanes.All(factor * xyz[0]), TLanes.All(factor * xyz[1]), TLanes.All(factor * xyz[2]));
}
