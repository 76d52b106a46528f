using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.SchNet;

/// <summary>ssp(s) = ln(1 + e^s) - ln 2 and its slope, without overflow.</summary>
internal static class Softplus
{
    /// <summary>e^-|s|: what value and slope share.</summary>
    public static Pack4<T> Falls<T, TReal>(Pack4<T> s)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> =>
        new() { X = Fall<T, TReal>(s.X), Y = Fall<T, TReal>(s.Y), Z = Fall<T, TReal>(s.Z), W = Fall<T, TReal>(s.W) };

    /// <param name="s">s</param>
    /// <param name="e"><see cref="Falls"/></param>
    public static Pack4<T> Values<T, TReal>(Pack4<T> s, Pack4<T> e)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> =>
        new() { X = Value<T, TReal>(s.X, e.X), Y = Value<T, TReal>(s.Y, e.Y), Z = Value<T, TReal>(s.Z, e.Z), W = Value<T, TReal>(s.W, e.W) };

    /// <inheritdoc cref="Values"/>
    public static Pack4<T> Slopes<T, TReal>(Pack4<T> s, Pack4<T> e)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> =>
        new() { X = Slope<T, TReal>(s.X, e.X), Y = Slope<T, TReal>(s.Y, e.Y), Z = Slope<T, TReal>(s.Z, e.Z), W = Slope<T, TReal>(s.W, e.W) };

    private static T Fall<T, TReal>(T s)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => TReal.Exp(TReal.MinusMagnitude(s));

    private static T Value<T, TReal>(T s, T e)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => (s > T.Zero ? s : T.Zero) + TReal.Log1p(e) - TReal.Of(0.69314718055994530942);

    private static T Slope<T, TReal>(T s, T e)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => (s < T.Zero ? e : TReal.Of(1)) / (TReal.Of(1) + e);
}
