using System.Numerics;
using System.Runtime.InteropServices;

namespace ChemScale.Kernels.Maths;

/// <summary>Four neighbours in memory. As an array's element its float32 form moves in one 16-byte instruction.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Pack4<T> : IPack<T, Pack4<T>>
    where T : unmanaged, INumber<T>
{
    public T X;
    public T Y;
    public T Z;
    public T W;

    public static Pack4<T> operator +(Pack4<T> left, Pack4<T> right) =>
        new() { X = left.X + right.X, Y = left.Y + right.Y, Z = left.Z + right.Z, W = left.W + right.W };

    public static Pack4<T> operator -(Pack4<T> left, Pack4<T> right) =>
        new() { X = left.X - right.X, Y = left.Y - right.Y, Z = left.Z - right.Z, W = left.W - right.W };

    public static Pack4<T> operator *(Pack4<T> left, Pack4<T> right) =>
        new() { X = left.X * right.X, Y = left.Y * right.Y, Z = left.Z * right.Z, W = left.W * right.W };

    public static Pack4<T> operator *(Pack4<T> left, T right) =>
        new() { X = left.X * right, Y = left.Y * right, Z = left.Z * right, W = left.W * right };

    public static Pack4<T> operator /(Pack4<T> left, Pack4<T> right) =>
        new() { X = left.X / right.X, Y = left.Y / right.Y, Z = left.Z / right.Z, W = left.W / right.W };

    public static T Sum(Pack4<T> pack) => pack.X + pack.Y + (pack.Z + pack.W);

    public static Pack4<T> SqrtOf<TReal>(Pack4<T> pack, T shift)
        where TReal : struct, IReal<T> =>
        new()
        {
            X = TReal.Sqrt(pack.X + shift),
            Y = TReal.Sqrt(pack.Y + shift),
            Z = TReal.Sqrt(pack.Z + shift),
            W = TReal.Sqrt(pack.W + shift),
        };
}
