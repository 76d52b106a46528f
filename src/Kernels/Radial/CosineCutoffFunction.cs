using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

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
