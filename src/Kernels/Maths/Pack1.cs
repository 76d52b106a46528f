using System.Numerics;
using System.Runtime.InteropServices;

namespace ChemScale.Kernels.Maths;

/// <summary>One value, where rows are no multiple of four.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Pack1<T> : IPack<T, Pack1<T>>
    where T : unmanaged, INumber<T>
{
    public T X;

    public static int Count => 1;

    public static Pack1<T> operator +(Pack1<T> left, Pack1<T> right) => new() { X = left.X + right.X };

    public static Pack1<T> operator -(Pack1<T> left, Pack1<T> right) => new() { X = left.X - right.X };

    public static Pack1<T> operator *(Pack1<T> left, Pack1<T> right) => new() { X = left.X * right.X };

    public static Pack1<T> operator *(Pack1<T> left, T right) => new() { X = left.X * right };

    public static Pack1<T> operator /(Pack1<T> left, Pack1<T> right) => new() { X = left.X / right.X };

    public static Pack1<T> Of(T value) => new() { X = value };

    public static Pack1<T> Unit(long place) => new() { X = place == 0 ? T.One : T.Zero };

    public static T At(Pack1<T> pack, int place) => pack.X;

    public static T Sum(Pack1<T> pack) => pack.X;

    public static T Max(Pack1<T> pack) => pack.X;

    public static Pack1<T> SumOver<TLanes>(Pack1<T> pack)
        where TLanes : struct, ILanes => new() { X = TLanes.Sum(pack.X) };

    public static Pack1<T> Map<TFunction>(Pack1<T> pack)
        where TFunction : struct, IFunction<T> => new() { X = TFunction.At(pack.X) };

    public static Pack1<T> SqrtOf<TReal>(Pack1<T> pack, T shift)
        where TReal : struct, IReal<T> => new() { X = TReal.Sqrt(pack.X + shift) };
}
