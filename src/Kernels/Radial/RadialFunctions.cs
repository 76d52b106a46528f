using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>One member of a radial basis, as a function of the distance.</summary>
public interface IRadialFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="distance">d in A</param>
    /// <param name="inverse">1 / d</param>
    /// <param name="center">The member's own number: an offset in A, or a frequency in 1/A.</param>
    /// <param name="exponent">Its second number, where it has one.</param>
    static abstract Jet<T> At(T distance, T inverse, T center, T exponent);
}

/// <summary>phi(d) = exp(b (d - o)^2) with b = -1 / (2 s^2); zero with its derivatives where it is <see cref="Negligible"/>.</summary>
public readonly struct Gaussian<T, TReal> : IRadialFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static Jet<T> At(T distance, T inverse, T center, T exponent)
    {
        T difference = distance - center, twice = exponent + exponent;
        T value = ExponentialOrZero<T, TReal>.At(difference * difference * exponent);
        T slope = twice * difference;
        return new Jet<T> { Value = value, First = slope * value, Second = (slope * slope + twice) * value };
    }
}

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

/// <summary>A function of the distance: 1 at zero, and 0 with all derivatives beyond the cutoff, which itself counts as inside.</summary>
public interface ICutoffFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="distance">d in A</param>
    /// <param name="cutoff">c in A</param>
    /// <param name="power">p of the polynomial, 2 or more</param>
    static abstract Jet<T> At(T distance, T cutoff, int power);
}

/// <summary>f(d) = (cos(pi d / c) + 1) / 2.</summary>
public readonly struct CosineCutoffFunction<T, TReal> : ICutoffFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static Jet<T> At(T distance, T cutoff, int power)
    {
        // At the cutoff the cosine is -1 to the last bit: the value is exactly zero there.
        T scale = TReal.Of(Math.PI) / cutoff, half = TReal.Of(0.5);
        SinCos<T> angle = TReal.SinCos(distance * scale);
        T inside = distance <= cutoff ? half : T.Zero;
        return new Jet<T>
        {
            Value = (angle.Cos + T.One) * inside,
            First = -(scale * angle.Sin * inside),
            Second = -(scale * scale * angle.Cos * inside),
        };
    }
}

/// <summary>
/// f(d) = 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2), x = d / c. With q = p(p+1)(p+2)/2 its derivatives by x are
/// -q x^(p-1) (1-x)^2 and -q x^(p-2) (1-x) ((p-1)(1-x) - 2x): products, where the sums would cancel near the cutoff. Where x^p is
/// <see cref="Negligible"/>, f = 1.
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
        low = low * x * x <= TReal.Of(Negligible.Value) ? T.Zero : low;
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
