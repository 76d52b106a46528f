using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.SchNet;

/// <summary>ssp(s) = ln(1 + e^s) - ln 2 and its slope, without overflow.</summary>
internal static class Softplus
{
    public static Pack4<T> Values<T, TReal>(Pack4<T> s)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> =>
        new() { X = Value<T, TReal>(s.X), Y = Value<T, TReal>(s.Y), Z = Value<T, TReal>(s.Z), W = Value<T, TReal>(s.W) };

    public static Pack4<T> Slopes<T, TReal>(Pack4<T> s)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> =>
        new() { X = Slope<T, TReal>(s.X), Y = Slope<T, TReal>(s.Y), Z = Slope<T, TReal>(s.Z), W = Slope<T, TReal>(s.W) };

    private static T Value<T, TReal>(T s)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> =>
        (s > T.Zero ? s : T.Zero) + TReal.Log1p(Fall<T, TReal>(s)) - TReal.Of(0.69314718055994530942);

    private static T Slope<T, TReal>(T s)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        T e = Fall<T, TReal>(s);
        return (s < T.Zero ? e : TReal.Of(1)) / (TReal.Of(1) + e);
    }

    /// <summary>e^-|s|</summary>
    private static T Fall<T, TReal>(T s)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => TReal.Exp(s > T.Zero ? -s : s);
}
