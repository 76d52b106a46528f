using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>
/// f(d) = 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2), x = d / c. With q = p(p+1)(p+2)/2 its derivatives by x are
/// -q x^(p-1) (1-x)^2 and -q x^(p-2) (1-x) ((p-1)(1-x) - 2x): products, where the sums would cancel near the cutoff.
/// </summary>
public readonly struct PolynomialCutoffFunction<T, TReal> : ICutoffFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static Jet<T> At(T distance, T cutoff, int power)
    {
        T x = distance / cutoff;
        // Held at 1 the integer coefficients cancel exactly, and so do the derivatives.
        x = x > T.One ? T.One : x;
        T low = T.One;
        for (int i = 2; i < power; i++) low *= x;
        T p = TReal.FromInt(power), half = TReal.Of(0.5), two = T.One + T.One;
        T inner = (x * (-p * (p + T.One) * half) + p * (p + two)) * x - (p + T.One) * (p + two) * half;
        T rest = T.One - x, inverse = T.One / cutoff;
        T q = -half * p * (p + T.One) * (p + two) * inverse;
        return new Jet<T>
        {
            Value = low * x * x * inner + T.One,
            First = q * low * x * rest * rest,
            Second = q * inverse * low * rest * ((p - T.One) * rest - two * x),
        };
    }
}
