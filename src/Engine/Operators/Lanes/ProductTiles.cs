using System.Numerics;
using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Operators.Lanes;

/// <summary>
/// Products in tiles of 24 sums that stay in registers, for processors with 32 of them. A sum is made in the order of its terms, from zero, and
/// only then added to what is there: adding one product after the other gives the bits of adding them up.
/// </summary>
internal static unsafe class ProductTiles<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C, whole vectors.</param>
    /// <param name="k">Terms of a sum.</param>
    /// <param name="a">Element (i, p) is a[i rowStep + p termStep].</param>
    /// <param name="rowStep">See <paramref name="a"/>.</param>
    /// <param name="termStep">See <paramref name="a"/>.</param>
    /// <param name="b">(k, n)</param>
    /// <param name="bStride">Between rows of B.</param>
    /// <param name="c">(m, n)</param>
    /// <param name="cStride">Between rows of C.</param>
    /// <param name="add">Whether C is added to.</param>
    public static void Multiply(int m, int n, int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        int l = TLanes.Count;
        for (int j = 0; j < n;)
        {
            int wide = n - j >= 4 * l ? 4 : n - j >= 2 * l ? 2 : 1, tall = wide == 4 ? 6 : wide == 2 ? 12 : 4, few = wide == 4 ? 2 : wide == 2 ? 4 : 1, i = 0;
            T* bj = b + j, ai = a, ci = c + j;
            for (; i + tall <= m; i += tall, ai += tall * rowStep, ci += tall * cStride)
            {
                if (wide == 4) Tile6x4(k, ai, rowStep, termStep, bj, bStride, ci, cStride, add);
                else if (wide == 2) Tile12x2(k, ai, rowStep, termStep, bj, bStride, ci, cStride, add);
                else Tile4x1(k, ai, rowStep, termStep, bj, bStride, ci, cStride, add);
            }
            for (; i + few <= m && few > 1; i += few, ai += few * rowStep, ci += few * cStride)
            {
                if (wide == 4) Tile2x4(k, ai, rowStep, termStep, bj, bStride, ci, cStride, add);
                else Tile4x2(k, ai, rowStep, termStep, bj, bStride, ci, cStride, add);
            }
            for (; i < m; i++, ai += rowStep, ci += cStride)
            {
                if (wide == 4) Row4(k, ai, termStep, bj, bStride, ci, add);
                else for (int v = 0; v < wide; v++) Row(k, ai, termStep, bj + v * l, bStride, ci + v * l, add);
            }
            j += wide * l;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile6x4(int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        int l = TLanes.Count;
        TLanes s00 = TLanes.Zero, s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00, s20 = s00, s21 = s00, s22 = s00, s23 = s00;
        TLanes s30 = s00, s31 = s00, s32 = s00, s33 = s00, s40 = s00, s41 = s00, s42 = s00, s43 = s00, s50 = s00, s51 = s00, s52 = s00, s53 = s00;
        T* a3 = a + 3 * rowStep;
        long row2 = 2 * rowStep;
        for (int p = 0; p < k; p++, a += termStep, a3 += termStep, b += bStride)
        {
            TLanes b0 = TLanes.Load(b), b1 = TLanes.Load(b + l), b2 = TLanes.Load(b + 2 * l), b3 = TLanes.Load(b + 3 * l), x = TLanes.All(*a);
            (s00, s01, s02, s03) = (TLanes.Fma(x, b0, s00), TLanes.Fma(x, b1, s01), TLanes.Fma(x, b2, s02), TLanes.Fma(x, b3, s03));
            x = TLanes.All(a[rowStep]);
            (s10, s11, s12, s13) = (TLanes.Fma(x, b0, s10), TLanes.Fma(x, b1, s11), TLanes.Fma(x, b2, s12), TLanes.Fma(x, b3, s13));
            x = TLanes.All(a[row2]);
            (s20, s21, s22, s23) = (TLanes.Fma(x, b0, s20), TLanes.Fma(x, b1, s21), TLanes.Fma(x, b2, s22), TLanes.Fma(x, b3, s23));
            x = TLanes.All(*a3);
            (s30, s31, s32, s33) = (TLanes.Fma(x, b0, s30), TLanes.Fma(x, b1, s31), TLanes.Fma(x, b2, s32), TLanes.Fma(x, b3, s33));
            x = TLanes.All(a3[rowStep]);
            (s40, s41, s42, s43) = (TLanes.Fma(x, b0, s40), TLanes.Fma(x, b1, s41), TLanes.Fma(x, b2, s42), TLanes.Fma(x, b3, s43));
            x = TLanes.All(a3[row2]);
            (s50, s51, s52, s53) = (TLanes.Fma(x, b0, s50), TLanes.Fma(x, b1, s51), TLanes.Fma(x, b2, s52), TLanes.Fma(x, b3, s53));
        }
        Put(c, add, s00, s01);
        Put(c + 2 * l, add, s02, s03);
        c += cStride;
        Put(c, add, s10, s11);
        Put(c + 2 * l, add, s12, s13);
        c += cStride;
        Put(c, add, s20, s21);
        Put(c + 2 * l, add, s22, s23);
        c += cStride;
        Put(c, add, s30, s31);
        Put(c + 2 * l, add, s32, s33);
        c += cStride;
        Put(c, add, s40, s41);
        Put(c + 2 * l, add, s42, s43);
        c += cStride;
        Put(c, add, s50, s51);
        Put(c + 2 * l, add, s52, s53);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile12x2(int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        int l = TLanes.Count;
        TLanes s00 = TLanes.Zero, s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
        TLanes s60 = s00, s61 = s00, s70 = s00, s71 = s00, s80 = s00, s81 = s00, s90 = s00, s91 = s00, t00 = s00, t01 = s00, t10 = s00, t11 = s00;
        T* a3 = a + 3 * rowStep, a6 = a3 + 3 * rowStep, a9 = a6 + 3 * rowStep;
        long row2 = 2 * rowStep;
        for (int p = 0; p < k; p++, a += termStep, a3 += termStep, a6 += termStep, a9 += termStep, b += bStride)
        {
            TLanes b0 = TLanes.Load(b), b1 = TLanes.Load(b + l), x = TLanes.All(*a), y = TLanes.All(a[rowStep]), z = TLanes.All(a[row2]);
            (s00, s01, s10, s11) = (TLanes.Fma(x, b0, s00), TLanes.Fma(x, b1, s01), TLanes.Fma(y, b0, s10), TLanes.Fma(y, b1, s11));
            (s20, s21) = (TLanes.Fma(z, b0, s20), TLanes.Fma(z, b1, s21));
            (x, y, z) = (TLanes.All(*a3), TLanes.All(a3[rowStep]), TLanes.All(a3[row2]));
            (s30, s31, s40, s41) = (TLanes.Fma(x, b0, s30), TLanes.Fma(x, b1, s31), TLanes.Fma(y, b0, s40), TLanes.Fma(y, b1, s41));
            (s50, s51) = (TLanes.Fma(z, b0, s50), TLanes.Fma(z, b1, s51));
            (x, y, z) = (TLanes.All(*a6), TLanes.All(a6[rowStep]), TLanes.All(a6[row2]));
            (s60, s61, s70, s71) = (TLanes.Fma(x, b0, s60), TLanes.Fma(x, b1, s61), TLanes.Fma(y, b0, s70), TLanes.Fma(y, b1, s71));
            (s80, s81) = (TLanes.Fma(z, b0, s80), TLanes.Fma(z, b1, s81));
            (x, y, z) = (TLanes.All(*a9), TLanes.All(a9[rowStep]), TLanes.All(a9[row2]));
            (s90, s91, t00, t01) = (TLanes.Fma(x, b0, s90), TLanes.Fma(x, b1, s91), TLanes.Fma(y, b0, t00), TLanes.Fma(y, b1, t01));
            (t10, t11) = (TLanes.Fma(z, b0, t10), TLanes.Fma(z, b1, t11));
        }
        Put(c, add, s00, s01);
        Put(c += cStride, add, s10, s11);
        Put(c += cStride, add, s20, s21);
        Put(c += cStride, add, s30, s31);
        Put(c += cStride, add, s40, s41);
        Put(c += cStride, add, s50, s51);
        Put(c += cStride, add, s60, s61);
        Put(c += cStride, add, s70, s71);
        Put(c += cStride, add, s80, s81);
        Put(c += cStride, add, s90, s91);
        Put(c += cStride, add, t00, t01);
        Put(c += cStride, add, t10, t11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x4(int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        int l = TLanes.Count;
        TLanes s00 = TLanes.Zero, s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        for (int p = 0; p < k; p++, a += termStep, b += bStride)
        {
            TLanes b0 = TLanes.Load(b), b1 = TLanes.Load(b + l), b2 = TLanes.Load(b + 2 * l), b3 = TLanes.Load(b + 3 * l), x = TLanes.All(*a), y = TLanes.All(a[rowStep]);
            (s00, s01, s02, s03) = (TLanes.Fma(x, b0, s00), TLanes.Fma(x, b1, s01), TLanes.Fma(x, b2, s02), TLanes.Fma(x, b3, s03));
            (s10, s11, s12, s13) = (TLanes.Fma(y, b0, s10), TLanes.Fma(y, b1, s11), TLanes.Fma(y, b2, s12), TLanes.Fma(y, b3, s13));
        }
        Put(c, add, s00, s01);
        Put(c + 2 * l, add, s02, s03);
        Put(c + cStride, add, s10, s11);
        Put(c + cStride + 2 * l, add, s12, s13);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x2(int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        int l = TLanes.Count;
        TLanes s00 = TLanes.Zero, s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        T* a2 = a + 2 * rowStep;
        for (int p = 0; p < k; p++, a += termStep, a2 += termStep, b += bStride)
        {
            TLanes b0 = TLanes.Load(b), b1 = TLanes.Load(b + l), x = TLanes.All(*a), y = TLanes.All(a[rowStep]), z = TLanes.All(*a2), w = TLanes.All(a2[rowStep]);
            (s00, s01, s10, s11) = (TLanes.Fma(x, b0, s00), TLanes.Fma(x, b1, s01), TLanes.Fma(y, b0, s10), TLanes.Fma(y, b1, s11));
            (s20, s21, s30, s31) = (TLanes.Fma(z, b0, s20), TLanes.Fma(z, b1, s21), TLanes.Fma(w, b0, s30), TLanes.Fma(w, b1, s31));
        }
        Put(c, add, s00, s01);
        Put(c += cStride, add, s10, s11);
        Put(c += cStride, add, s20, s21);
        Put(c += cStride, add, s30, s31);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x1(int k, T* a, long rowStep, long termStep, T* b, long bStride, T* c, long cStride, bool add)
    {
        TLanes s0 = TLanes.Zero, s1 = s0, s2 = s0, s3 = s0;
        T* a2 = a + 2 * rowStep;
        for (int p = 0; p < k; p++, a += termStep, a2 += termStep, b += bStride)
        {
            TLanes v = TLanes.Load(b);
            (s0, s1) = (TLanes.Fma(TLanes.All(*a), v, s0), TLanes.Fma(TLanes.All(a[rowStep]), v, s1));
            (s2, s3) = (TLanes.Fma(TLanes.All(*a2), v, s2), TLanes.Fma(TLanes.All(a2[rowStep]), v, s3));
        }
        Put(c, add, s0);
        Put(c + cStride, add, s1);
        Put(c + 2 * cStride, add, s2);
        Put(c + 3 * cStride, add, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row4(int k, T* a, long termStep, T* b, long bStride, T* c, bool add)
    {
        int l = TLanes.Count;
        TLanes s0 = TLanes.Zero, s1 = s0, s2 = s0, s3 = s0;
        for (int p = 0; p < k; p++, a += termStep, b += bStride)
        {
            TLanes x = TLanes.All(*a);
            (s0, s1) = (TLanes.Fma(x, TLanes.Load(b), s0), TLanes.Fma(x, TLanes.Load(b + l), s1));
            (s2, s3) = (TLanes.Fma(x, TLanes.Load(b + 2 * l), s2), TLanes.Fma(x, TLanes.Load(b + 3 * l), s3));
        }
        Put(c, add, s0, s1);
        Put(c + 2 * l, add, s2, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(int k, T* a, long termStep, T* b, long bStride, T* c, bool add)
    {
        TLanes sum = TLanes.Zero;
        for (int p = 0; p < k; p++, a += termStep, b += bStride) sum = TLanes.Fma(TLanes.All(*a), TLanes.Load(b), sum);
        Put(c, add, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, bool add, TLanes sum) => TLanes.Store(c, add ? TLanes.Add(TLanes.Load(c), sum) : sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, bool add, TLanes first, TLanes second)
    {
        Put(c, add, first);
        Put(c + TLanes.Count, add, second);
    }
}
