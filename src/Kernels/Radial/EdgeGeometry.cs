using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Radial;

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
