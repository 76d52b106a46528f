using System.Numerics;

namespace ChemScale.Kernels.Maths;

/// <summary>
/// Neighbouring values that one thread works on: the element type of a view, so that a kernel written once moves one value, or four in one
/// instruction. The default is zero.
/// </summary>
public interface IPack<T, TSelf>
    where T : unmanaged, INumber<T>
    where TSelf : unmanaged, IPack<T, TSelf>
{
    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, T right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>Sum of the values.</summary>
    static abstract T Sum(TSelf pack);

    /// <summary>sqrt(x + shift) of each.</summary>
    static abstract TSelf SqrtOf<TReal>(TSelf pack, T shift)
        where TReal : struct, IReal<T>;
}
