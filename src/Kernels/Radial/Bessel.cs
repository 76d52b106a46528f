using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>phi(d) = sin(w d) / d; phi' = (w cos(w d) - phi) / d, phi'' = -w^2 phi - 2 phi' / d.</summary>
public readonly struct Bessel<T, TReal> : IRadialFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static Jet<T> At(T distance, T inverse, T center, T exponent)
    {
        SinCos<T> angle = TReal.SinCos(distance * center);
        T value = angle.Sin * inverse;
        T first = (center * angle.Cos - value) * inverse;
        return new Jet<T> { Value = value, First = first, Second = -(center * center * value + (first + first) * inverse) };
    }
}
