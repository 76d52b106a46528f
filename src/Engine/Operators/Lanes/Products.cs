using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>
/// Products of row-major matrices on the calling thread: in tiles of 512-bit vectors where libtorch's BLAS was not written for the processor, else
/// by that BLAS, or in lanes where it has none. Here, and here alone, it is chosen. Equal sizes and strides give equal bits, whichever thread multiplies.
/// </summary>
internal static unsafe class Products<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int RowBlock = 4;

    /// <summary>Whether C += A B adds whole sums to C: whether the bits are those of adding the product up afterwards.</summary>
    public static bool AddsLast(int n) => ProductForms.Tiles && n % TLanes.Count == 0;

    /// <summary>C (m, n) = A (m, k) B (k, n), or C += A B.</summary>
    public static void Multiply(int m, int n, int k, T* a, int aStride, T* b, int bStride, T* c, int cStride, bool add = false)
    {
        if (AddsLast(n)) ProductTiles<TLanes, T>.Multiply(m, n, k, a, aStride, 1, b, bStride, c, cStride, add);
        else if (Blas.Found)
        {
            using FlushToZero mode = FlushToZero.Enter();
            Blas.Multiply(m, n, k, a, aStride, b, bStride, c, cStride, add);
        }
        else InLanes(m, n, k, a, aStride, 1, b, bStride, c, cStride, add);
    }

    /// <summary>C (m, n) = A' B with A (k, m) and B (k, n), or C += A' B: what gradients by weights are.</summary>
    public static void MultiplyTransposed(int m, int n, int k, T* a, int aStride, T* b, int bStride, T* c, int cStride, bool add = false)
    {
        if (AddsLast(n)) ProductTiles<TLanes, T>.Multiply(m, n, k, a, 1, aStride, b, bStride, c, cStride, add);
        else if (Blas.Found)
        {
            using FlushToZero mode = FlushToZero.Enter();
            Blas.Multiply(m, n, k, a, aStride, b, bStride, c, cStride, add, transposed: true);
        }
        else InLanes(m, n, k, a, 1, aStride, b, bStride, c, cStride, add);
    }

    /// <summary>Without a BLAS: rows by fours, columns by three vectors, every sum in the order of k.</summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of a sum.</param>
    /// <param name="a">Element (i, p) is a[i rowStep + p termStep].</param>
    /// <param name="rowStep">See <paramref name="a"/>.</param>
    /// <param name="termStep">See <paramref name="a"/>.</param>
    /// <param name="b">(k, n)</param>
    /// <param name="bStride">Between rows of B.</param>
    /// <param name="c">(m, n)</param>
    /// <param name="cStride">Between rows of C.</param>
    /// <param name="add">Whether C is added to.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void InLanes(int m, int n, int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        int lanes = TLanes.Count, whole = n - n % lanes;
        for (int j = 0; j < whole;)
        {
            int vectors = Math.Min(3, (whole - j) / lanes);
            int i = 0;
            for (; i + RowBlock <= m; i += RowBlock)
            {
                T* ai = a + i * rowStep, bj = b + j, cij = c + i * cStride + j;
                if (vectors == 3) Rows4(k, ai, rowStep, termStep, bj, bStride, cij, cStride, add);
                else for (int v = 0; v < vectors; v++) Rows4One(k, ai, rowStep, termStep, bj + v * lanes, bStride, cij + v * lanes, cStride, add);
            }
            for (; i < m; i++)
            {
                for (int v = 0; v < vectors; v++)
                {
                    T* bj = b + j + v * lanes, cij = c + i * cStride + j + v * lanes, ai = a + i * rowStep;
                    TLanes sum = add ? TLanes.Load(cij) : TLanes.Zero;
                    for (int p = 0; p < k; p++) sum = TLanes.Fma(TLanes.All(ai[p * termStep]), TLanes.Load(bj + p * bStride), sum);
                    TLanes.Store(cij, sum);
                }
            }
            j += vectors * lanes;
        }
        for (int i = 0; i < m; i++)
        {
            for (int j = whole; j < n; j++)
            {
                T sum = add ? c[i * cStride + j] : T.Zero;
                for (int p = 0; p < k; p++) sum = T.FusedMultiplyAdd(a[i * rowStep + p * termStep], b[p * bStride + j], sum);
                c[i * cStride + j] = sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4(int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        int l = TLanes.Count;
        TLanes s00 = TLanes.Zero, s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00, s20 = s00, s21 = s00, s22 = s00, s30 = s00, s31 = s00, s32 = s00;
        T* c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        if (add)
        {
            (s00, s01, s02) = (TLanes.Load(c), TLanes.Load(c + l), TLanes.Load(c + 2 * l));
            (s10, s11, s12) = (TLanes.Load(c1), TLanes.Load(c1 + l), TLanes.Load(c1 + 2 * l));
            (s20, s21, s22) = (TLanes.Load(c2), TLanes.Load(c2 + l), TLanes.Load(c2 + 2 * l));
            (s30, s31, s32) = (TLanes.Load(c3), TLanes.Load(c3 + l), TLanes.Load(c3 + 2 * l));
        }
        T* a1 = a + rowStep, a2 = a1 + rowStep, a3 = a2 + rowStep;
        for (int p = 0; p < k; p++, b += bStride)
        {
            TLanes b0 = TLanes.Load(b), b1 = TLanes.Load(b + l), b2 = TLanes.Load(b + 2 * l);
            long at = p * termStep;
            TLanes x = TLanes.All(a[at]);
            (s00, s01, s02) = (TLanes.Fma(x, b0, s00), TLanes.Fma(x, b1, s01), TLanes.Fma(x, b2, s02));
            x = TLanes.All(a1[at]);
            (s10, s11, s12) = (TLanes.Fma(x, b0, s10), TLanes.Fma(x, b1, s11), TLanes.Fma(x, b2, s12));
            x = TLanes.All(a2[at]);
            (s20, s21, s22) = (TLanes.Fma(x, b0, s20), TLanes.Fma(x, b1, s21), TLanes.Fma(x, b2, s22));
            x = TLanes.All(a3[at]);
            (s30, s31, s32) = (TLanes.Fma(x, b0, s30), TLanes.Fma(x, b1, s31), TLanes.Fma(x, b2, s32));
        }
        Store3(c, s00, s01, s02);
        Store3(c1, s10, s11, s12);
        Store3(c2, s20, s21, s22);
        Store3(c3, s30, s31, s32);
    }

    private static void Store3(T* c, TLanes first, TLanes second, TLanes third)
    {
        TLanes.Store(c, first);
        TLanes.Store(c + TLanes.Count, second);
        TLanes.Store(c + 2 * TLanes.Count, third);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4One(int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        T* c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride, a1 = a + rowStep, a2 = a1 + rowStep, a3 = a2 + rowStep;
        TLanes s0 = TLanes.Zero, s1 = s0, s2 = s0, s3 = s0;
        if (add) (s0, s1, s2, s3) = (TLanes.Load(c), TLanes.Load(c1), TLanes.Load(c2), TLanes.Load(c3));
        for (int p = 0; p < k; p++, b += bStride)
        {
            TLanes v = TLanes.Load(b);
            long at = p * termStep;
            s0 = TLanes.Fma(TLanes.All(a[at]), v, s0);
            s1 = TLanes.Fma(TLanes.All(a1[at]), v, s1);
            s2 = TLanes.Fma(TLanes.All(a2[at]), v, s2);
            s3 = TLanes.Fma(TLanes.All(a3[at]), v, s3);
        }
        TLanes.Store(c, s0);
        TLanes.Store(c1, s1);
        TLanes.Store(c2, s2);
        TLanes.Store(c3, s3);
    }

    /// <summary>B (n, m) = A' of A (m, n).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(int m, int n, T* a, int aStride, T* b, int bStride)
    {
        // In blocks: rows of B are written whole cache lines at a time.
        const int Block = 16;
        for (int i0 = 0; i0 < m; i0 += Block)
        {
            int end = Math.Min(m, i0 + Block);
            for (int j = 0; j < n; j++)
            {
                T* row = b + (long)j * bStride;
                for (int i = i0; i < end; i++) row[i] = a[(long)i * aStride + j];
            }
        }
    }
}

/// <summary>What multiplies on this machine.</summary>
internal static class ProductForms
{
    /// <summary>
    /// MKL's kernels for other makers' processors reach half of what tiles of registers do; on Intel's own, and at sizes beyond a layer's, they are ahead.
    /// </summary>
    public static bool Tiles { get; } = Vector512.IsHardwareAccelerated && !Blas.IsTuned;

    /// <summary>In words, with the reason.</summary>
    public static string Description
    {
        get
        {
            if (Blas.Found && !Tiles) return Blas.Version ?? "BLAS of an unknown name";
            string reason = Blas.Found ? $"{Blas.Version} was not written for this processor"
                : Environment.GetEnvironmentVariable(Blas.Variable) == "none" ? $"{Blas.Variable}=none" : "this libtorch exports no BLAS";
            return (Tiles ? "own tiles of 512-bit vectors: " : "own lanes: ") + reason;
        }
    }
}
