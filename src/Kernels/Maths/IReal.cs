using System.Numerics;

namespace ChemScale.Kernels.Maths;

/// <summary>
/// The functions of a number type in kernels, so that one kernel serves float32 and float64: a type parameter constrained to a struct that
/// implements this costs nothing. Sums and products are T's own operators. Neither needs a fused multiply-add, and both are the same on
/// the CPU accelerator, whose compiler fuses nothing, as on a device up to that fusing.
/// </summary>
public interface IReal<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>A constant: rounded while compiling, so that a float32 kernel holds no float64 instruction.</summary>
    static abstract T Of(double constant);

    static abstract T FromInt(int value);

    /// <summary>The smallest positive normal number.</summary>
    static abstract T LeastNormal { get; }

    /// <summary>-|x|, by the sign bit: what a condition chooses, ILGPU computes in a branch, with all that comes after it in both ways.</summary>
    static abstract T MinusMagnitude(T x);

    /// <summary>Correctly rounded.</summary>
    static abstract T Sqrt(T x);

    /// <summary>e^x to about one unit in the last place; 0 and infinity beyond the range.</summary>
    static abstract T Exp(T x);

    /// <summary>ln(1 + x) for x in 0 .. 1.</summary>
    static abstract T Log1p(T x);

    /// <summary>ln x for x of 1 or more, to a few units in the last place.</summary>
    static abstract T Log(T x);

    /// <summary>Sine and cosine with the range reduced: to about one unit of 1 for arguments up to 10,000.</summary>
    static abstract SinCos<T> SinCos(T x);
}

/// <summary>A function of one number, as a type parameter: <see cref="IPack{T,TSelf}.Map{TFunction}"/> takes it of each value.</summary>
public interface IFunction<T>
    where T : unmanaged, INumber<T>
{
    static abstract T At(T x);
}

/// <summary>A function's value and its first two derivatives at a point. What a kernel does not use is not computed.</summary>
public struct Jet<T>
    where T : unmanaged
{
    public T Value;
    public T First;
    public T Second;
}

/// <summary>e^x</summary>
public readonly struct Exponential<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static T At(T x) => TReal.Exp(x);
}

/// <summary>Sine and cosine of one angle.</summary>
public struct SinCos<T>
    where T : unmanaged
{
    public T Sin;
    public T Cos;
}
