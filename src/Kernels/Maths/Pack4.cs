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

    public static int Count => 4;

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

    public static Pack4<T> Of(T value) => new() { X = value, Y = value, Z = value, W = value };

    public static Pack4<T> Unit(long place) =>
        new()
        {
            X = place == 0 ? T.One : T.Zero,
            Y = place == 1 ? T.One : T.Zero,
            Z = place == 2 ? T.One : T.Zero,
            W = place == 3 ? T.One : T.Zero,
        };

    public static T At(Pack4<T> pack, int place) => place < 2 ? place == 0 ? pack.X : pack.Y : place == 2 ? pack.Z : pack.W;

    public static T Sum(Pack4<T> pack) => pack.X + pack.Y + (pack.Z + pack.W);

    public static T Max(Pack4<T> pack)
    {
        T low = pack.X > pack.Y ? pack.X : pack.Y, high = pack.Z > pack.W ? pack.Z : pack.W;
        return low > high ? low : high;
    }

    public static Pack4<T> SumOver<TLanes>(Pack4<T> pack)
        where TLanes : struct, ILanes =>
        new() { X = TLanes.Sum(pack.X), Y = TLanes.Sum(pack.Y), Z = TLanes.Sum(pack.Z), W = TLanes.Sum(pack.W) };

    public static Pack4<T> Map<TFunction>(Pack4<T> pack)
        where TFunction : struct, IFunction<T> =>
        new() { X = TFunction.At(pack.X), Y = TFunction.At(pack.Y), Z = TFunction.At(pack.Z), W = TFunction.At(pack.W) };

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
