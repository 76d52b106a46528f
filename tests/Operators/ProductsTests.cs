using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using NUnit.Framework;

namespace ChemScale.Tests.Operators;

/// <summary>Products of matrices by libtorch's BLAS and, where there is none, in lanes; against sums in double precision.</summary>
public unsafe class ProductsTests
{
    private static readonly (int M, int N, int K)[] Shapes =
        [(1, 1, 1), (3, 5, 2), (4, 16, 8), (37, 96, 32), (9, 33, 17), (5, 48, 1), (2, 7, 130), (64, 100, 20), (8, 32, 0), (15, 128, 6), (19, 112, 9)];

    [Test]
    public void Products_in_lanes_are_sums([Values(By.Lanes, By.Tiles)] By by, [Values] bool transposed, [Values] bool add)
    {
        foreach ((int m, int n, int k) in Shapes)
        {
            Check<SingleLanes8, float>(m, n, k, transposed, add, by, 1e-5);
            Check<DoubleLanes4, double>(m, n, k, transposed, add, by, 1e-13);
            if (!Vector512.IsHardwareAccelerated) continue;
            Check<SingleLanes16, float>(m, n, k, transposed, add, by, 1e-5);
            Check<DoubleLanes8, double>(m, n, k, transposed, add, by, 1e-13);
        }
    }

    [Test]
    public void Tiles_add_whole_sums()
    {
        const int M = 31, N = 96, K = 40;
        var random = new Random(3);
        float[] a = [.. Enumerable.Range(0, M * K).Select(_ => random.NextSingle())], b = [.. Enumerable.Range(0, K * N).Select(_ => random.NextSingle())];
        float[] c = [.. Enumerable.Range(0, M * N).Select(_ => random.NextSingle())], product = new float[M * N], expected = [.. c];
        fixed (float* pa = a, pb = b, pc = c, pp = product)
        {
            ProductTiles<SingleLanes8, float>.Multiply(M, N, K, pa, K, 1, pb, N, pp, N, add: false);
            ProductTiles<SingleLanes8, float>.Multiply(M, N, K, pa, K, 1, pb, N, pc, N, add: true);
        }
        for (int i = 0; i < c.Length; i++) expected[i] += product[i];
        Assert.That(c, Is.EqualTo(expected));
    }

    [Test]
    public void Products_by_the_library_are_the_same([Values] bool transposed, [Values] bool add)
    {
        if (!Blas.Found) Assert.Ignore("this libtorch exports no BLAS");
        TestContext.Out.WriteLine(Blas.Version);
        foreach ((int m, int n, int k) in Shapes)
        {
            Check<SingleLanes8, float>(m, n, k, transposed, add, By.Library, 1e-5);
            Check<DoubleLanes4, double>(m, n, k, transposed, add, By.Library, 1e-13);
        }
    }

    [Test]
    public void A_transpose_is_one()
    {
        foreach ((int m, int n, int _) in Shapes)
        {
            float[] a = [.. Enumerable.Range(0, m * n).Select(i => (float)i)], b = new float[m * n];
            fixed (float* pa = a, pb = b) Products<SingleLanes8, float>.Transpose(m, n, pa, n, pb, m);
            Assert.That(b, Is.EqualTo(Enumerable.Range(0, m * n).Select(i => (float)(i % m * n + i / m))), $"{m} x {n}");
        }
    }

    /// <summary>Which product.</summary>
    public enum By
    {
        /// <summary>Rows of vectors.</summary>
        Lanes,

        /// <summary>Tiles of registers.</summary>
        Tiles,

        /// <summary>libtorch's BLAS.</summary>
        Library,
    }

    private static void Check<TLanes, T>(int m, int n, int k, bool transposed, bool add, By by, double tolerance)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        if (by == By.Tiles && n % TLanes.Count != 0) return;
        // Rows further apart than they are long: nothing between them may be touched.
        int rows = transposed ? k : m, aStride = (transposed ? m : k) + 3, bStride = n + 5, cStride = n + 2;
        var random = new Random(7);
        T[] a = Numbers(rows * aStride + 1), b = Numbers(k * bStride + 1), c = Numbers(m * cStride + 1), before = [.. c];
        fixed (T* pa = a, pb = b, pc = c)
        {
            if (by == By.Library) Blas.Multiply(m, n, k, pa, aStride, pb, bStride, pc, cStride, add, transposed);
            else if (by == By.Tiles) ProductTiles<TLanes, T>.Multiply(m, n, k, pa, transposed ? 1 : aStride, transposed ? aStride : 1, pb, bStride, pc, cStride, add);
            else Products<TLanes, T>.InLanes(m, n, k, pa, transposed ? 1 : aStride, transposed ? aStride : 1, pb, bStride, pc, cStride, add);
        }
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < cStride; j++)
            {
                double sum = j >= n || add ? Value(before[i * cStride + j]) : 0;
                for (int p = 0; p < k && j < n; p++) sum += Value(a[transposed ? p * aStride + i : i * aStride + p]) * Value(b[p * bStride + j]);
                Expect.Close(Value(c[i * cStride + j]), sum, absolute: j < n ? tolerance * (1 + k) : 0, message: $"{typeof(TLanes).Name} {m} x {n} x {k}: ({i}, {j})");
            }
        }

        T[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => T.CreateChecked(random.NextDouble() * 2 - 1))];
        static double Value(T x) => double.CreateChecked(x);
    }
}
