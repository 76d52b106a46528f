using System.Numerics;
using System.Runtime.InteropServices;

namespace ChemScale.Kernels.Maths;

/// <summary>One value, where rows are no multiple of four.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Pack1<T> : IPack<T, Pack1<T>>
    where T : unmanaged, INumber<T>
{
    public T X;

    public static Pack1<T> operator +(Pack1<T> left, Pack1<T> right) => new() { X = left.X + right.X };

    public static Pack1<T> operator -(Pack1<T> left, Pack1<T> right) => new() { X = left.X - right.X };

    public static Pack1<T> operator *(Pack1<T> left, Pack1<T> right) => new() { X = left.X * right.X };

    public static Pack1<T> operator *(Pack1<T> left, T right) => new() { X = left.X * right };

    public static Pack1<T> operator /(Pack1<T> left, Pack1<T> right) => new() { X = left.X / right.X };

    public static T Sum(Pack1<T> pack) => pack.X;

    public static Pack1<T> SqrtOf<TReal>(Pack1<T> pack, T shift)
        where TReal : struct, IReal<T> => new() { X = TReal.Sqrt(pack.X + shift) };
}
