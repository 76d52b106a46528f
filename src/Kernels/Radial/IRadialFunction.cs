using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>One member of a radial basis, as a function of the distance.</summary>
public interface IRadialFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="distance">d in A</param>
    /// <param name="inverse">1 / d</param>
    /// <param name="center">The member's own number: an offset in A, or a frequency in 1/A.</param>
    /// <param name="exponent">Its second number, where it has one.</param>
    static abstract Jet<T> At(T distance, T inverse, T center, T exponent);
}
