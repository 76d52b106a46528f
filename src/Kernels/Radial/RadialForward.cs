using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Radial;

/// <summary>
/// Distance, direction, cutoff function and radial basis of each edge in one pass over the edge vectors. A thread makes one value of the
/// basis (<see cref="Singles"/>) or four in a row (<see cref="Quads"/>), so that neighbouring threads store neighbouring values; the
/// first thread of an edge writes the rest.
/// </summary>
internal static class RadialForward
{
    /// <param name="edgeVectors">(E, 3) A</param>
    /// <param name="centers">(K)</param>
    /// <param name="exponents">(K); anything of that length where the basis has none</param>
    /// <param name="cutoff">A</param>
    /// <param name="power">Of the polynomial cutoff.</param>
    /// <param name="distances">(E, 1), written</param>
    /// <param name="directions">(E, 3), written</param>
    /// <param name="envelope">(E, 1), written</param>
    /// <param name="radial">(E, K), written</param>
    public static void Singles<T, TReal, TFunction, TCutoff>(
        ArrayView<T> edgeVectors, ArrayView<T> centers, ArrayView<T> exponents, T cutoff, int power,
        [Written] ArrayView<T> distances, [Written] ArrayView<T> directions, [Written] ArrayView<T> envelope, [Written] ArrayView<T> radial)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TFunction : struct, IRadialFunction<T, TReal>
        where TCutoff : struct, ICutoffFunction<T, TReal>
    {
        int count = centers.IntLength, total = radial.IntLength;
        for (int i = Grid.GlobalIndex.X; i < total; i += Grid.DimX * Group.DimX)
        {
            int edge = i / count, k = i - edge * count;
            EdgeGeometry<T> geometry = EdgeGeometry<T>.Load<TReal>(edgeVectors, edge);
            radial[i] = TFunction.At(geometry.Distance, geometry.Inverse, centers[k], exponents[k]).Value;
            if (k == 0) Describe<T, TReal, TCutoff>(geometry, edge, cutoff, power, distances, directions, envelope);
        }
    }

    /// <summary>The same for K a multiple of four; parameters as above.</summary>
    public static void Quads<T, TReal, TFunction, TCutoff>(
        ArrayView<T> edgeVectors, ArrayView<Pack4<T>> centers, ArrayView<Pack4<T>> exponents, T cutoff, int power,
        ArrayView<T> distances, ArrayView<T> directions, ArrayView<T> envelope, ArrayView<Pack4<T>> radial)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TFunction : struct, IRadialFunction<T, TReal>
        where TCutoff : struct, ICutoffFunction<T, TReal>
    {
        int quads = centers.IntLength, total = radial.IntLength;
        for (int i = Grid.GlobalIndex.X; i < total; i += Grid.DimX * Group.DimX)
        {
            int edge = i / quads, k = i - edge * quads;
            EdgeGeometry<T> geometry = EdgeGeometry<T>.Load<TReal>(edgeVectors, edge);
            Pack4<T> a = centers[k], b = exponents[k];
            radial[i] = new Pack4<T>
            {
                X = TFunction.At(geometry.Distance, geometry.Inverse, a.X, b.X).Value,
                Y = TFunction.At(geometry.Distance, geometry.Inverse, a.Y, b.Y).Value,
                Z = TFunction.At(geometry.Distance, geometry.Inverse, a.Z, b.Z).Value,
                W = TFunction.At(geometry.Distance, geometry.Inverse, a.W, b.W).Value,
            };
            if (k == 0) Describe<T, TReal, TCutoff>(geometry, edge, cutoff, power, distances, directions, envelope);
        }
    }

    private static void Describe<T, TReal, TCutoff>(
        EdgeGeometry<T> geometry, int edge, T cutoff, int power, ArrayView<T> distances, ArrayView<T> directions, ArrayView<T> envelope)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TCutoff : struct, ICutoffFunction<T, TReal>
    {
        distances[edge] = geometry.Distance;
        envelope[edge] = TCutoff.At(geometry.Distance, cutoff, power).Value;
        directions[3 * edge] = geometry.X;
        directions[3 * edge + 1] = geometry.Y;
        directions[3 * edge + 2] = geometry.Z;
    }
}

/// <summary>Length and direction of one edge. An edge of length zero has none: everything made of its direction is NaN.</summary>
public struct EdgeGeometry<T>
    where T : unmanaged, INumber<T>
{
    public T Distance;

    /// <summary>1 / distance</summary>
    public T Inverse;

    /// <summary>Unit vector.</summary>
    public T X;
    public T Y;
    public T Z;

    /// <param name="vectors">(edges, 3) A</param>
    /// <param name="edge">Which.</param>
    public static EdgeGeometry<T> Load<TReal>(ArrayView<T> vectors, int edge)
        where TReal : struct, IReal<T>
    {
        T x = vectors[3 * edge], y = vectors[3 * edge + 1], z = vectors[3 * edge + 2];
        T distance = TReal.Sqrt(x * x + y * y + z * z), inverse = T.One / distance;
        return new EdgeGeometry<T> { Distance = distance, Inverse = inverse, X = x * inverse, Y = y * inverse, Z = z * inverse };
    }
}
