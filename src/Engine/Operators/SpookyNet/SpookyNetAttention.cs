using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Kernels.Maths;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>
/// What attention makes of a frame of n atoms: of queries and keys u = x omega, e = exp(u - |x|^2 / (2 sqrt F) - M) / sqrt m and phi = e + floor; values
/// with a column of ones V (n, W); A = phi(k)' V (m, W); o and its denominator.
/// </summary>
internal readonly unsafe struct AttentionRows<T>(ref Pieces<T> pieces, int n, int f, int m, int wide)
    where T : unmanaged
{
    public readonly T* QueryU = pieces.Take((long)n * m), KeyU = pieces.Take((long)n * m), QueryE = pieces.Take((long)n * m), KeyE = pieces.Take((long)n * m);
    public readonly T* QueryPhi = pieces.Take((long)n * m), KeyPhi = pieces.Take((long)n * m), V = pieces.Take((long)n * wide), A = pieces.Take((long)m * wide);
    public readonly T* Output = pieces.Take((long)n * f), Denominator = pieces.Take(n), Greatest = pieces.Take(n + 1);
}

/// <summary>Gradients of E: by phi of queries and keys, by sums (n, W), by A.</summary>
internal readonly unsafe struct AttentionGradients<T>(ref Pieces<T> pieces, int n, int m, int wide)
    where T : unmanaged
{
    public readonly T* QueryPhi = pieces.Take((long)n * m), KeyPhi = pieces.Take((long)n * m), Sums = pieces.Take((long)n * wide), A = pieces.Take((long)m * wide);
}

/// <summary>Tangents: of phi, V, A, of the output and its denominator.</summary>
internal readonly unsafe struct AttentionTangents<T>(ref Pieces<T> pieces, int n, int f, int m, int wide)
    where T : unmanaged
{
    public readonly T* QueryPhi = pieces.Take((long)n * m), KeyPhi = pieces.Take((long)n * m), V = pieces.Take((long)n * wide), A = pieces.Take((long)m * wide);
    public readonly T* Output = pieces.Take((long)n * f), Denominator = pieces.Take(n);
}

/// <summary>Queries, keys and values of a frame, or gradients by them: (n, F) each.</summary>
internal readonly unsafe struct AttentionInputs<T>(T* q, T* k, T* v)
    where T : unmanaged
{
    public readonly T* Q = q, K = k, V = v;

    public AttentionInputs<T> From(long offset) => Q == null ? default : new(Q + offset, K + offset, V + offset);
}

/// <summary>The passes of <see cref="FrameAttention"/> over one frame.</summary>
internal sealed unsafe class AttentionPasses<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const double FeatureFloor = 1e-4, SumFloor = 1e-8;

    private readonly int f, m, realM;
    private readonly T half, root, norm, floor, sumFloor;

    /// <param name="settings">Widths as they are.</param>
    /// <param name="layout">Widths filled up.</param>
    public AttentionPasses(SpookyNetSettings settings, SpookyNetLayout layout)
    {
        (f, m, realM) = (layout.Features, layout.RandomFeatures, settings.RandomFeatures);
        Wide = f + TLanes.Count;
        double inverse = 1 / Math.Sqrt(settings.Features), ofM = 1 / Math.Sqrt(settings.RandomFeatures);
        (half, root, norm) = (T.CreateTruncating(0.5 * inverse), T.CreateTruncating(inverse), T.CreateTruncating(ofM));
        (floor, sumFloor) = (T.CreateTruncating(FeatureFloor * ofM), T.CreateTruncating(SumFloor));
    }

    /// <summary>Columns of values with those of ones: W.</summary>
    public int Wide { get; }

    /// <summary>Numbers of room for n atoms.</summary>
    public long Room(int n) => 4L * n * (m > Wide ? m : Wide) + 4L * m * Wide + 64;

    /// <param name="n">Atoms.</param>
    /// <param name="directions">(F, m), then (m, F)</param>
    /// <param name="x">Queries, keys, values.</param>
    /// <param name="to">Written.</param>
    /// <param name="room">Room.</param>
    public void Values(int n, T* directions, AttentionInputs<T> x, in AttentionRows<T> to, T* room)
    {
        Products<TLanes, T>.Multiply(n, m, f, x.Q, f, directions, m, to.QueryU, m);
        Products<TLanes, T>.Multiply(n, m, f, x.K, f, directions, m, to.KeyU, m);
        T all = T.Zero;
        for (int i = 0; i < n; i++)
        {
            to.Greatest[i] = Greatest(to.QueryU + (long)i * m);
            all = T.Max(all, Greatest(to.KeyU + (long)i * m));
        }
        to.Greatest[n] = all;
        for (int i = 0; i < n; i++)
        {
            long at = (long)i * m, row = (long)i * f;
            Features(to.QueryU + at, SpookyRowsOf<TLanes, T>.Dot(f, x.Q + row, x.Q + row) * half + to.Greatest[i], to.QueryE + at, to.QueryPhi + at);
            Features(to.KeyU + at, SpookyRowsOf<TLanes, T>.Dot(f, x.K + row, x.K + row) * half + all, to.KeyE + at, to.KeyPhi + at);
            for (int c = realM; c < m; c++) to.QueryE[at + c] = to.QueryPhi[at + c] = to.KeyE[at + c] = to.KeyPhi[at + c] = T.Zero;
        }
        Augment(n, x.V, T.One, to.V);
        Products<TLanes, T>.MultiplyTransposed(m, Wide, n, to.KeyPhi, m, to.V, Wide, to.A, Wide);
        Products<TLanes, T>.Multiply(n, Wide, m, to.QueryPhi, m, to.A, Wide, room, Wide);
        for (int i = 0; i < n; i++, room += Wide)
        {
            to.Denominator[i] = room[f] + sumFloor;
            SpookyRowsOf<TLanes, T>.Scaled(f, T.One / to.Denominator[i], room, to.Output + (long)i * f, false);
        }
    }

    /// <summary>Gradients of E by queries, keys and values from those by outputs.</summary>
    public void Reverse(int n, T* directions, AttentionInputs<T> x, in AttentionRows<T> of, T* byOutput, in AttentionGradients<T> by, AttentionInputs<T> byX, T* room)
    {
        for (int i = 0; i < n; i++)
        {
            T* g = byOutput + (long)i * f, sum = by.Sums + (long)i * Wide;
            T inverse = T.One / of.Denominator[i];
            SpookyRowsOf<TLanes, T>.Scaled(f, inverse, g, sum, false);
            Tail(sum, -inverse * SpookyRowsOf<TLanes, T>.Dot(f, g, of.Output + (long)i * f));
        }
        T* turned = room, values = turned + (long)m * Wide, work = values + (long)n * Wide;
        ByPhi(n, by.Sums, of.A, turned, by.QueryPhi, false);
        Products<TLanes, T>.MultiplyTransposed(m, Wide, n, of.QueryPhi, m, by.Sums, Wide, by.A, Wide);
        ByPhi(n, of.V, by.A, turned, by.KeyPhi, false);
        Products<TLanes, T>.Multiply(n, Wide, m, of.KeyPhi, m, by.A, Wide, values, Wide);
        Crop(n, values, byX.V);
        ByInputs(n, directions, x.Q, null, of.QueryU, of.Greatest, false, Gradient(n, of.QueryE, by.QueryPhi, null, null, work), null, byX.Q);
        ByInputs(n, directions, x.K, null, of.KeyU, of.Greatest, true, Gradient(n, of.KeyE, by.KeyPhi, null, null, work), null, byX.K);
    }

    /// <summary>Tangents of outputs, left in <paramref name="to"/>.</summary>
    public void Tangents(int n, T* directions, AttentionInputs<T> x, in AttentionRows<T> of, AttentionInputs<T> dot, in AttentionTangents<T> to, T* room)
    {
        PhiTangents(n, directions, x.Q, dot.Q, of.QueryU, of.Greatest, false, of.QueryE, to.QueryPhi);
        PhiTangents(n, directions, x.K, dot.K, of.KeyU, of.Greatest, true, of.KeyE, to.KeyPhi);
        Augment(n, dot.V, T.Zero, to.V);
        Products<TLanes, T>.MultiplyTransposed(m, Wide, n, to.KeyPhi, m, of.V, Wide, to.A, Wide);
        Products<TLanes, T>.MultiplyTransposed(m, Wide, n, of.KeyPhi, m, to.V, Wide, to.A, Wide, add: true);
        Products<TLanes, T>.Multiply(n, Wide, m, to.QueryPhi, m, of.A, Wide, room, Wide);
        Products<TLanes, T>.Multiply(n, Wide, m, of.QueryPhi, m, to.A, Wide, room, Wide, add: true);
        for (int i = 0; i < n; i++, room += Wide)
        {
            to.Denominator[i] = room[f];
            T inverse = T.One / of.Denominator[i];
            SpookyRowsOf<TLanes, T>.Scaled(f, inverse, room, to.Output + (long)i * f, false);
            SpookyRowsOf<TLanes, T>.Scaled(f, -room[f] * inverse, of.Output + (long)i * f, to.Output + (long)i * f, true);
        }
    }

    /// <summary>Gradients of S by queries, keys and values.</summary>
    /// <param name="n">Atoms.</param>
    /// <param name="directions">(F, m), then (m, F)</param>
    /// <param name="x">Queries, keys, values.</param>
    /// <param name="of">What they gave.</param>
    /// <param name="dot">Their tangents; null: nothing moves.</param>
    /// <param name="tangents">Likewise.</param>
    /// <param name="byOutput">Gradient of E by outputs.</param>
    /// <param name="by">As <see cref="Reverse"/> left it.</param>
    /// <param name="hat">Gradient of S by outputs.</param>
    /// <param name="byX">Written.</param>
    /// <param name="room">Room.</param>
    public void Adjoints(int n, T* directions, AttentionInputs<T> x, in AttentionRows<T> of, AttentionInputs<T> dot, in AttentionTangents<T> tangents, T* byOutput,
        in AttentionGradients<T> by, T* hat, AttentionInputs<T> byX, T* room)
    {
        bool moves = dot.Q != null;
        T* turned = room, byA = turned + (long)m * Wide, sums = byA + (long)m * Wide, values = sums + (long)n * Wide, phi = values + (long)n * Wide;
        T* plain = phi + (long)n * (m > Wide ? m : Wide);
        for (int i = 0; i < n; i++)
        {
            long row = (long)i * f;
            T* up = hat + row, sum = sums + (long)i * Wide, o = of.Output + row;
            T inverse = T.One / of.Denominator[i], tail = SpookyRowsOf<TLanes, T>.Dot(f, up, o);
            SpookyRowsOf<TLanes, T>.Scaled(f, inverse, up, sum, false);
            if (moves)
            {
                T* g = byOutput + row;
                T turn = tangents.Denominator[i] * inverse;
                SpookyRowsOf<TLanes, T>.Scaled(f, -turn * inverse, g, sum, true);
                tail += SpookyRowsOf<TLanes, T>.Dot(f, g, tangents.Output + row) - turn * SpookyRowsOf<TLanes, T>.Dot(f, g, o);
            }
            Tail(sum, -inverse * tail);
        }
        Products<TLanes, T>.MultiplyTransposed(m, Wide, n, of.QueryPhi, m, sums, Wide, byA, Wide);
        if (moves) Products<TLanes, T>.MultiplyTransposed(m, Wide, n, tangents.QueryPhi, m, by.Sums, Wide, byA, Wide, add: true);
        Products<TLanes, T>.Multiply(n, Wide, m, of.KeyPhi, m, byA, Wide, values, Wide);
        if (moves) Products<TLanes, T>.Multiply(n, Wide, m, tangents.KeyPhi, m, by.A, Wide, values, Wide, add: true);
        Crop(n, values, byX.V);
        ByPhi(n, sums, of.A, turned, phi, false);
        if (moves) ByPhi(n, by.Sums, tangents.A, turned, phi, true);
        T* first = moves ? Gradient(n, of.QueryE, by.QueryPhi, null, null, plain) : null;
        ByInputs(n, directions, x.Q, dot.Q, of.QueryU, of.Greatest, false, Gradient(n, of.QueryE, phi, tangents.QueryPhi, moves ? by.QueryPhi : null, phi), first, byX.Q);
        ByPhi(n, of.V, byA, turned, phi, false);
        if (moves) ByPhi(n, tangents.V, by.A, turned, phi, true);
        first = moves ? Gradient(n, of.KeyE, by.KeyPhi, null, null, plain) : null;
        ByInputs(n, directions, x.K, dot.K, of.KeyU, of.Greatest, true, Gradient(n, of.KeyE, phi, tangents.KeyPhi, moves ? by.KeyPhi : null, phi), first, byX.K);
    }

    private T Greatest(T* row)
    {
        int whole = realM - realM % TLanes.Count;
        T greatest = T.NegativeInfinity;
        if (whole > 0)
        {
            TLanes most = TLanes.Load(row);
            for (int c = TLanes.Count; c < whole; c += TLanes.Count) most = TLanes.Max(most, TLanes.Load(row + c));
            greatest = TLanes.Greatest(most);
        }
        for (int c = whole; c < realM; c++) greatest = T.Max(greatest, row[c]);
        return greatest;
    }

    /// <summary>e = exp(u - shift) / sqrt m, and zero where that is negligible; phi = e + floor</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Features(T* u, T shift, T* e, T* phi)
    {
        TLanes low = TLanes.All(T.CreateTruncating(Negligible.Exponent)), least = TLanes.Exp(low), by = TLanes.All(shift), factor = TLanes.All(norm), add = TLanes.All(floor);
        for (int c = 0; c < m; c += TLanes.Count)
        {
            TLanes value = factor * (TLanes.Exp(TLanes.Max(TLanes.Load(u + c) - by, low)) - least);
            TLanes.Store(e + c, value);
            TLanes.Store(phi + c, value + add);
        }
    }

    /// <summary>Values with what follows them in each row.</summary>
    private void Augment(int n, T* values, T tail, T* to)
    {
        for (int i = 0; i < n; i++, values += f, to += Wide)
        {
            Unsafe.CopyBlock(to, values, (uint)(f * sizeof(T)));
            Tail(to, tail);
        }
    }

    private void Tail(T* row, T tail)
    {
        row[f] = tail;
        for (int c = f + 1; c < Wide; c++) row[c] = T.Zero;
    }

    private void Crop(int n, T* rows, T* to)
    {
        for (int i = 0; i < n; i++) Unsafe.CopyBlock(to + (long)i * f, rows + (long)i * Wide, (uint)(f * sizeof(T)));
    }

    /// <summary>(n, m) = rows (n, W) by the transpose of a (m, W).</summary>
    private void ByPhi(int n, T* rows, T* a, T* turned, T* to, bool add)
    {
        Products<TLanes, T>.Transpose(m, Wide, a, Wide, turned, m);
        Products<TLanes, T>.Multiply(n, m, Wide, rows, Wide, turned, m, to, m, add);
    }

    /// <summary>By exponents: e by phi, and with tangents e' by their gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private T* Gradient(int n, T* e, T* byPhi, T* eDot, T* byTangents, T* to)
    {
        for (long c = 0; c < (long)n * m; c += TLanes.Count)
        {
            TLanes sum = TLanes.Load(e + c) * TLanes.Load(byPhi + c);
            if (byTangents != null) sum = TLanes.Fma(TLanes.Load(eDot + c), TLanes.Load(byTangents + c), sum);
            TLanes.Store(to + c, sum);
        }
        return to;
    }

    /// <summary>From gradients by exponents u - |x|^2 / (2 sqrt F) - M, which are written over, to those by x.</summary>
    private void ByInputs(int n, T* directions, T* x, T* xDot, T* u, T* greatest, bool shared, T* by, T* first, T* byX)
    {
        T all = T.Zero;
        // Before the maximum takes its part away.
        for (int i = 0; i < n; i++)
        {
            T sum = Total(by + (long)i * m);
            SpookyRowsOf<TLanes, T>.Scaled(f, -sum * root, x + (long)i * f, byX + (long)i * f, false);
            if (first != null) SpookyRowsOf<TLanes, T>.Scaled(f, -Total(first + (long)i * m) * root, xDot + (long)i * f, byX + (long)i * f, true);
            if (shared) all += sum;
            else Share(u + (long)i * m, realM, 1, greatest[i], sum, by + (long)i * m);
        }
        if (shared) Share(u, realM, n, greatest[n], all, by);
        Products<TLanes, T>.Multiply(n, f, m, by, m, directions + (long)f * m, f, byX, f, add: true);
    }

    /// <summary>Takes a gradient by the maximum from the entries that attain it, in equal parts.</summary>
    private void Share(T* u, int columns, int rows, T greatest, T gradient, T* by)
    {
        int count = 0;
        for (int i = 0; i < rows; i++) count += new ReadOnlySpan<T>(u + (long)i * m, columns).Count(greatest);
        if (count == 0) return;
        T part = gradient / T.CreateTruncating(count);
        for (int i = 0; i < rows; i++)
            for (int c = 0; c < columns; c++)
                if (u[(long)i * m + c] == greatest) by[(long)i * m + c] -= part;
    }

    private T Total(T* row)
    {
        TLanes sum = TLanes.Zero;
        for (int c = 0; c < m; c += TLanes.Count) sum += TLanes.Load(row + c);
        return TLanes.Sum(sum);
    }

    /// <summary>phi' = e (u' - x . x' / sqrt F - M')</summary>
    private void PhiTangents(int n, T* directions, T* x, T* xDot, T* u, T* greatest, bool shared, T* e, T* to)
    {
        Products<TLanes, T>.Multiply(n, m, f, xDot, f, directions, m, to, m);
        T all = shared ? Mean(u, n, greatest[n], to) : T.Zero;
        for (int i = 0; i < n; i++)
        {
            long at = (long)i * m, row = (long)i * f;
            T shift = SpookyRowsOf<TLanes, T>.Dot(f, x + row, xDot + row) * root + (shared ? all : Mean(u + at, 1, greatest[i], to + at));
            TLanes by = TLanes.All(shift);
            for (int c = 0; c < m; c += TLanes.Count) TLanes.Store(to + at + c, TLanes.Load(e + at + c) * (TLanes.Load(to + at + c) - by));
        }
    }

    /// <summary>The tangent of a maximum: the mean over the entries that attain it.</summary>
    private T Mean(T* u, int rows, T greatest, T* uDot)
    {
        T sum = T.Zero;
        int count = 0;
        for (int i = 0; i < rows; i++)
        {
            for (int c = 0; c < realM; c++)
            {
                if (u[(long)i * m + c] != greatest) continue;
                sum += uDot[(long)i * m + c];
                count++;
            }
        }
        return count == 0 ? T.Zero : sum / T.CreateTruncating(count);
    }
}
