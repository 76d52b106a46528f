using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Gelu;

/// <summary>
/// The derivative of <see cref="GeluValue{T,TReal}"/>, s + v u' s (1 - s). With e = exp(-|u|) the larger of s and 1 - s is 1 / (1 + e) and
/// the smaller e / (1 + e): a subtraction would lose the bits of the smaller, which v u' magnifies.
/// </summary>
internal readonly struct GeluSlope<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <summary>2 sqrt(2/pi)</summary>
    public const double Factor = 1.5957691216057308;

    public const double Cubic = 0.044715;

    public static T At(T v)
    {
        T square = v * v, u = v * (TReal.Of(Factor) + square * TReal.Of(Factor * Cubic));
        T slope = TReal.Of(Factor) + square * TReal.Of(3 * Factor * Cubic);
        T e = TReal.Exp(u > T.Zero ? -u : u), high = T.One / (T.One + e), low = e * high;
        return (u > T.Zero ? high : low) + v * slope * (high * low);
    }
}
