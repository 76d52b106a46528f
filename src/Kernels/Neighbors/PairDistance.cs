using System.Numerics;
using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// The one test of the count and of the fill: they must agree to the bit, and both ways round. So kernels that use it carry
/// <see cref="Device.RoundEachOperationAttribute"/>.
/// </summary>
internal static class PairDistance
{
    public static T Squared<T>(ArrayView<T> positions, int i, int j)
        where T : unmanaged, INumber<T>
    {
        T x = positions[3 * j] - positions[3 * i];
        T y = positions[3 * j + 1] - positions[3 * i + 1];
        T z = positions[3 * j + 2] - positions[3 * i + 2];
        return x * x + y * y + z * z;
    }
}
