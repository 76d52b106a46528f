using System.Numerics;

namespace ChemScale.Kernels.Maths;

/// <summary>
/// Below which numbers are zero where they are made, so that none is subnormal: many processors multiply those ten to thirty times more
/// slowly. A basis or cutoff function that has fallen below 2^-63 is zero, and all its derivatives with it. 2^-63 is the root of float32's
/// smallest normal number, so products of two survivors are normal; and it is a five-hundredth of float64's rounding of 1, which such
/// functions are summed with: nothing is lost in either number type, and the rule is the same for both.
/// </summary>
public static class Negligible
{
    /// <summary>2^-63</summary>
    public const double Value = 1.0842021724855044e-19;

    /// <summary>Its natural logarithm: e^x is zero for x of this or less.</summary>
    public const double Exponent = -43.66827237527655;
}

/// <summary>e^x, or zero where that is negligible.</summary>
public readonly struct ExponentialOrZero<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static T At(T x) => x <= TReal.Of(Negligible.Exponent) ? T.Zero : TReal.Exp(x);
}

/// <summary>x, or zero where it is subnormal: for sums that decay by a factor a step, and would stay subnormal for thousands of steps.</summary>
public readonly struct NormalOrZero<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static T At(T x) => x < TReal.LeastNormal && x > -TReal.LeastNormal ? T.Zero : x;
}
