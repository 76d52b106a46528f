using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// Filters of edges, made again wherever they are needed: w_e = sum over k of R_ek G_k. Four rows at a time, since then each weight that is
/// loaded serves four of them.
/// </summary>
internal static class Filters
{
    /// <summary>Of the rows a, b of one array and c, d of another, or the same.</summary>
    /// <param name="filter">(K + 1, 3, packs)</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="f">Which of them.</param>
    /// <param name="first">(edges, K + 1)</param>
    /// <param name="a">An edge, as are b, c, d.</param>
    /// <param name="b">See a.</param>
    /// <param name="second">(edges, K + 1)</param>
    /// <param name="c">See a.</param>
    /// <param name="d">See a.</param>
    /// <param name="w0">Filter of the first row, as w1, w2, w3 of the others.</param>
    /// <param name="w1">See w0.</param>
    /// <param name="w2">See w0.</param>
    /// <param name="w3">See w0.</param>
    public static void Of<T, TPack>(
        ArrayView<TPack> filter, int packs, int f, ArrayView<T> first, int a, int b, ArrayView<T> second, int c, int d,
        out Triple<TPack> w0, out Triple<TPack> w1, out Triple<TPack> w2, out Triple<TPack> w3)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int count = filter.IntLength / (3 * packs);
        // Not one structure of four triples: the compiler confuses such ones of different packs.
        w0 = w1 = w2 = w3 = default;
        for (int k = 0; k < count; k++)
        {
            Triple<TPack> weights = Triples.Load(filter, k, packs, f);
            w0 = AddScaled(w0, weights, first[a * count + k]);
            w1 = AddScaled(w1, weights, first[b * count + k]);
            w2 = AddScaled(w2, weights, second[c * count + k]);
            w3 = AddScaled(w3, weights, second[d * count + k]);
        }
    }

    /// <summary>The same of part b alone, in one pack for each row: the message along the direction has no other.</summary>
    public static (TPack First, TPack Second, TPack Third, TPack Fourth) Along<T, TPack>(
        ArrayView<TPack> filter, int packs, int f, ArrayView<T> first, int a, int b, ArrayView<T> second, int c, int d)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int count = filter.IntLength / (3 * packs);
        TPack w0 = default, w1 = default, w2 = default, w3 = default;
        for (int k = 0; k < count; k++)
        {
            TPack weight = filter[(3 * k + 1) * packs + f];
            w0 += weight * first[a * count + k];
            w1 += weight * first[b * count + k];
            w2 += weight * second[c * count + k];
            w3 += weight * second[d * count + k];
        }
        return (w0, w1, w2, w3);
    }

    private static Triple<TPack> AddScaled<T, TPack>(Triple<TPack> sum, Triple<TPack> weights, T by)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack> =>
        new() { A = sum.A + weights.A * by, B = sum.B + weights.B * by, C = sum.C + weights.C * by };
}
