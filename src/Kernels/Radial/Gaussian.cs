using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>phi(d) = exp(b (d - o)^2) with b = -1 / (2 s^2).</summary>
public readonly struct Gaussian<T, TReal> : IRadialFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static Jet<T> At(T distance, T inverse, T center, T exponent)
    {
        T difference = distance - center, twice = exponent + exponent;
        T value = TReal.Exp(difference * difference * exponent);
        T slope = twice * difference;
        return new Jet<T> { Value = value, First = slope * value, Second = (slope * slope + twice) * value };
    }
}
