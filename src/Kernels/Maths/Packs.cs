using System.Numerics;
using System.Runtime.InteropServices;

namespace ChemScale.Kernels.Maths;

/// <summary>
/// Neighbouring values that one thread works on: the element type of a view, so that a kernel written once moves one value, or four in one
/// instruction. The default is zero.
/// </summary>
public interface IPack<T, TSelf>
    where T : unmanaged, INumber<T>
    where TSelf : unmanaged, IPack<T, TSelf>
{
    /// <summary>How many values.</summary>
    static abstract int Count { get; }

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, T right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>One value throughout.</summary>
    static abstract TSelf Of(T value);

    /// <summary>1 at one place, 0 at the others; a place beyond the pack: 0 throughout.</summary>
    static abstract TSelf Unit(long place);

    /// <summary>The value at a place of the pack.</summary>
    static abstract T At(TSelf pack, int place);

    /// <summary>Sum of the values.</summary>
    static abstract T Sum(TSelf pack);

    /// <summary>Largest of the values. NaN may or may not win.</summary>
    static abstract T Max(TSelf pack);

    /// <summary>Each value's sum over the lanes of an item, as <see cref="ILanes.Sum{T}"/>.</summary>
    static abstract TSelf SumOver<TLanes>(TSelf pack)
        where TLanes : struct, ILanes;

    /// <summary>A function of each.</summary>
    static abstract TSelf Map<TFunction>(TSelf pack)
        where TFunction : struct, IFunction<T>;

    /// <summary>sqrt(x + shift) of each.</summary>
    static abstract TSelf SqrtOf<TReal>(TSelf pack, T shift)
        where TReal : struct, IReal<T>;
}

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

/// <summary>Two neighbours in memory.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Pack2<T>
    where T : unmanaged
{
    public T X;
    public T Y;
}

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
