using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>
/// PaiNN's update, q + a + c s and mu + b W with [a | b | c] the context, s the product V . W and [V | W] the mixed vectors, with two
/// derivatives. A thread owns a few features of one atom.
/// </summary>
internal static class Update
{
    /// <param name="scalars">(A, F) q</param>
    /// <param name="vectors">(A, 3, F) mu</param>
    /// <param name="context">(A, 3, F) [a | b | c]</param>
    /// <param name="product">(A, F) s</param>
    /// <param name="mixed">(A, 3, 2 F)</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="newScalars">(A, F), written</param>
    /// <param name="newVectors">(A, 3, F), written</param>
    public static void Forward<T, TPack>(
        ArrayView<TPack> scalars, ArrayView<TPack> vectors, ArrayView<TPack> context, ArrayView<TPack> product, ArrayView<TPack> mixed,
        int packs,
        [Written] ArrayView<TPack> newScalars, [Written] ArrayView<TPack> newVectors)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        for (int item = Grid.GlobalIndex.X; item < scalars.IntLength; item += Grid.DimX * Group.DimX)
        {
            int atom = item / packs, f = item - atom * packs;
            Triple<TPack> x = Triples.Load(context, atom, packs, f), w = Triples.Load(mixed, atom, 2 * packs, packs + f);
            newScalars[item] = scalars[item] + x.A + x.C * product[item];
            Triples.Store(newVectors, atom, packs, f, Triples.Add<T, TPack>(Triples.Load(vectors, atom, packs, f), w, x.B));
        }
    }

    /// <summary>From the gradients h and g of the results: by the context: [h | g . W | h s]; by s: h c; by [V | W]: [0 | b g].</summary>
    /// <param name="context">(A, 3, F)</param>
    /// <param name="product">(A, F)</param>
    /// <param name="mixed">(A, 3, 2 F)</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="scalarGradient">(A, F) h</param>
    /// <param name="vectorGradient">(A, 3, F) g</param>
    /// <param name="byContext">(A, 3, F), written</param>
    /// <param name="byProduct">(A, F), written</param>
    /// <param name="byMixed">(A, 3, 2 F), written</param>
    public static void Backward<T, TPack>(
        ArrayView<TPack> context, ArrayView<TPack> product, ArrayView<TPack> mixed, int packs, ArrayView<TPack> scalarGradient,
        ArrayView<TPack> vectorGradient, [Written] ArrayView<TPack> byContext, [Written] ArrayView<TPack> byProduct, [Written] ArrayView<TPack> byMixed)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        for (int item = Grid.GlobalIndex.X; item < scalarGradient.IntLength; item += Grid.DimX * Group.DimX)
        {
            int atom = item / packs, f = item - atom * packs;
            Triple<TPack> x = Triples.Load(context, atom, packs, f), w = Triples.Load(mixed, atom, 2 * packs, packs + f);
            Triple<TPack> g = Triples.Load(vectorGradient, atom, packs, f);
            TPack h = scalarGradient[item];
            Triple<TPack> byX = new() { A = h, B = Triples.Dot<T, TPack>(g, w), C = h * product[item] };
            Triples.Store(byContext, atom, packs, f, byX);
            byProduct[item] = h * x.C;
            Triples.Store(byMixed, atom, 2 * packs, f, default);
            Triples.Store(byMixed, atom, 2 * packs, packs + f, Triples.Add<T, TPack>(default, g, x.B));
        }
    }

    /// <summary>
    /// From the cotangents [a' | b' | c'], s' and [V' | W'] of those gradients: by h: a' + c' s + s' c; by g: b' W + b W'; by the context:
    /// [0 | W' . g | s' h]; by s: c' h; by [V | W]: [0 | b' g].
    /// </summary>
    /// <param name="context">(A, 3, F)</param>
    /// <param name="product">(A, F)</param>
    /// <param name="mixed">(A, 3, 2 F)</param>
    /// <param name="packs">Packs of F features.</param>
    /// <param name="scalarGradient">(A, F) h</param>
    /// <param name="vectorGradient">(A, 3, F) g</param>
    /// <param name="contextTangent">(A, 3, F); this and the next two may be empty: zero</param>
    /// <param name="productTangent">(A, F)</param>
    /// <param name="mixedTangent">(A, 3, 2 F)</param>
    /// <param name="byContext">(A, 3, F), written</param>
    /// <param name="byProduct">(A, F), written</param>
    /// <param name="byMixed">(A, 3, 2 F), written</param>
    /// <param name="byScalarGradient">(A, F), written</param>
    /// <param name="byVectorGradient">(A, 3, F), written</param>
    public static void DoubleBackward<T, TPack>(
        ArrayView<TPack> context, ArrayView<TPack> product, ArrayView<TPack> mixed, int packs, ArrayView<TPack> scalarGradient,
        ArrayView<TPack> vectorGradient, ArrayView<TPack> contextTangent, ArrayView<TPack> productTangent, ArrayView<TPack> mixedTangent,
        [Written] ArrayView<TPack> byContext, [Written] ArrayView<TPack> byProduct, [Written] ArrayView<TPack> byMixed, [Written] ArrayView<TPack> byScalarGradient,
        [Written] ArrayView<TPack> byVectorGradient)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        for (int item = Grid.GlobalIndex.X; item < scalarGradient.IntLength; item += Grid.DimX * Group.DimX)
        {
            int atom = item / packs, f = item - atom * packs;
            Triple<TPack> x = Triples.Load(context, atom, packs, f), w = Triples.Load(mixed, atom, 2 * packs, packs + f);
            Triple<TPack> g = Triples.Load(vectorGradient, atom, packs, f), dx = default, dw = default;
            TPack h = scalarGradient[item], ds = default;
            if (contextTangent.IntLength > 0) dx = Triples.Load(contextTangent, atom, packs, f);
            if (productTangent.IntLength > 0) ds = productTangent[item];
            if (mixedTangent.IntLength > 0) dw = Triples.Load(mixedTangent, atom, 2 * packs, packs + f);
            Triple<TPack> byX = new() { B = Triples.Dot<T, TPack>(dw, g), C = ds * h };
            Triples.Store(byContext, atom, packs, f, byX);
            byProduct[item] = dx.C * h;
            Triples.Store(byMixed, atom, 2 * packs, f, default);
            Triples.Store(byMixed, atom, 2 * packs, packs + f, Triples.Add<T, TPack>(default, g, dx.B));
            byScalarGradient[item] = dx.A + dx.C * product[item] + ds * x.C;
            Triples.Store(byVectorGradient, atom, packs, f, Triples.Add<T, TPack>(Triples.Add<T, TPack>(default, w, dx.B), dw, x.B));
        }
    }
}
