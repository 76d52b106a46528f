using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.SchNet;

/// <summary>Arithmetic of four values at once.</summary>
internal static class Packs
{
    public static Pack4<T> Add<T>(Pack4<T> a, Pack4<T> b)
        where T : unmanaged, INumber<T> => new() { X = a.X + b.X, Y = a.Y + b.Y, Z = a.Z + b.Z, W = a.W + b.W };

    public static Pack4<T> Times<T>(Pack4<T> a, Pack4<T> b)
        where T : unmanaged, INumber<T> => new() { X = a.X * b.X, Y = a.Y * b.Y, Z = a.Z * b.Z, W = a.W * b.W };

    public static Pack4<T> Times<T>(Pack4<T> a, T b)
        where T : unmanaged, INumber<T> => new() { X = a.X * b, Y = a.Y * b, Z = a.Z * b, W = a.W * b };

    public static T Dot<T>(Pack4<T> a, Pack4<T> b)
        where T : unmanaged, INumber<T> => a.X * b.X + a.Y * b.Y + a.Z * b.Z + a.W * b.W;
}
