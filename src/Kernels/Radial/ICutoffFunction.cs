using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>A function of the distance: 1 at zero, and 0 with all derivatives beyond the cutoff, which itself counts as inside.</summary>
public interface ICutoffFunction<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="distance">d in A</param>
    /// <param name="cutoff">c in A</param>
    /// <param name="power">p of the polynomial, 2 or more</param>
    static abstract Jet<T> At(T distance, T cutoff, int power);
}
