using System.Numerics;

namespace ChemScale.Kernels.Maths;

/// <summary>e^x</summary>
public readonly struct Exponential<T, TReal> : IFunction<T>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static T At(T x) => TReal.Exp(x);
}
