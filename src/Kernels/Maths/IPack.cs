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
