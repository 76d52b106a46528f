using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Gelu;

/// <summary>v s, with s = 1 / (1 + e^-u) and u = 2 sqrt(2/pi) (v + 0.044715 v^3): one exponential, one division.</summary>
internal readonly struct GeluValue<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static T At(T v)
    {
        T minusU = v * (TReal.Of(-GeluSlope<T, TReal>.Factor) + v * v * TReal.Of(-GeluSlope<T, TReal>.Factor * GeluSlope<T, TReal>.Cubic));
        return v / (T.One + TReal.Exp(minusU));
    }
}
