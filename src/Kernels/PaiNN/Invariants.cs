using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// The invariant parts of PaiNN's mixed vectors [V | W], n = sqrt(V . V + epsilon) and s = V . W, with two derivatives. A thread owns a few
/// features of one atom.
/// </summary>
internal static class Invariants
{
    /// <param name="mixed">(A, 3, 2 F): V and W side by side</param>
    /// <param name="epsilon">Keeps the norm differentiable at zero.</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="norm">(A, F) n, written</param>
    /// <param name="product">(A, F) s, written</param>
    public static void Forward<T, TReal, TPack>(ArrayView<TPack> mixed, T epsilon, int packs, [Written] ArrayView<TPack> norm,
        [Written] ArrayView<TPack> product)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        for (int item = Grid.GlobalIndex.X; item < norm.IntLength; item += Grid.DimX * Group.DimX)
        {
            int atom = item / packs, f = item - atom * packs;
            Triple<TPack> v = Triples.Load(mixed, atom, 2 * packs, f), w = Triples.Load(mixed, atom, 2 * packs, packs + f);
            norm[item] = TPack.SqrtOf<TReal>(Triples.Dot<T, TPack>(v, v), epsilon);
            product[item] = Triples.Dot<T, TPack>(v, w);
        }
    }

    /// <summary>From the gradients a of n and b of s: by V: (a / n) V + b W; by W: b V.</summary>
    /// <param name="mixed">(A, 3, 2 F)</param>
    /// <param name="epsilon">See above.</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="normGradient">(A, F) a</param>
    /// <param name="productGradient">(A, F) b</param>
    /// <param name="byMixed">(A, 3, 2 F), written</param>
    public static void Backward<T, TReal, TPack>(
        ArrayView<TPack> mixed, T epsilon, int packs, ArrayView<TPack> normGradient, ArrayView<TPack> productGradient,
        [Written] ArrayView<TPack> byMixed)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        for (int item = Grid.GlobalIndex.X; item < normGradient.IntLength; item += Grid.DimX * Group.DimX)
        {
            int atom = item / packs, f = item - atom * packs;
            Triple<TPack> v = Triples.Load(mixed, atom, 2 * packs, f), w = Triples.Load(mixed, atom, 2 * packs, packs + f);
            TPack n = TPack.SqrtOf<TReal>(Triples.Dot<T, TPack>(v, v), epsilon), b = productGradient[item];
            Triple<TPack> byW = Triples.Add<T, TPack>(default, v, b);
            Triples.Store(byMixed, atom, 2 * packs, f,
                Triples.Add<T, TPack>(Triples.Add<T, TPack>(default, v, normGradient[item] / n), w, b));
            Triples.Store(byMixed, atom, 2 * packs, packs + f, byW);
        }
    }

    /// <summary>
    /// From the cotangents V', W' of the gradients by V and W, with t = V . V' / n: by a: t; by b: W . V' + V . W'; by V:
    /// (a / n) (V' - (t / n) V) + b W'; by W: b V'.
    /// </summary>
    /// <param name="mixed">(A, 3, 2 F)</param>
    /// <param name="epsilon">See above.</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="normGradient">(A, F) a</param>
    /// <param name="productGradient">(A, F) b</param>
    /// <param name="cotangent">(A, 3, 2 F): V' and W' side by side</param>
    /// <param name="byMixed">(A, 3, 2 F), written</param>
    /// <param name="byNormGradient">(A, F), written</param>
    /// <param name="byProductGradient">(A, F), written</param>
    public static void DoubleBackward<T, TReal, TPack>(
        ArrayView<TPack> mixed, T epsilon, int packs, ArrayView<TPack> normGradient, ArrayView<TPack> productGradient,
        ArrayView<TPack> cotangent,
        [Written] ArrayView<TPack> byMixed, [Written] ArrayView<TPack> byNormGradient, [Written] ArrayView<TPack> byProductGradient)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        for (int item = Grid.GlobalIndex.X; item < normGradient.IntLength; item += Grid.DimX * Group.DimX)
        {
            int atom = item / packs, f = item - atom * packs;
            Triple<TPack> v = Triples.Load(mixed, atom, 2 * packs, f), w = Triples.Load(mixed, atom, 2 * packs, packs + f);
            Triple<TPack> dv = Triples.Load(cotangent, atom, 2 * packs, f), dw = Triples.Load(cotangent, atom, 2 * packs, packs + f);
            TPack n = TPack.SqrtOf<TReal>(Triples.Dot<T, TPack>(v, v), epsilon), a = normGradient[item] / n, b = productGradient[item];
            TPack t = Triples.Dot<T, TPack>(v, dv) / n, zero = default;
            byNormGradient[item] = t;
            byProductGradient[item] = Triples.Dot<T, TPack>(w, dv) + Triples.Dot<T, TPack>(v, dw);
            Triple<TPack> byV = Triples.Add<T, TPack>(Triples.Add<T, TPack>(default, dv, a), dw, b);
            Triples.Store(byMixed, atom, 2 * packs, f, Triples.Add<T, TPack>(byV, v, zero - a * (t / n)));
            Triples.Store(byMixed, atom, 2 * packs, packs + f, Triples.Add<T, TPack>(default, dv, b));
        }
    }
}
