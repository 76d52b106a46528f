using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Spherical Bessel functions of order zero: phi_k(d) = sin(w_k d) / d, w_k = k pi / cutoff (Gasteiger et al. 2020), as in PaiNN without
/// their norm sqrt(2 / cutoff).
/// </summary>
public static class BesselBasis
{
    /// <param name="distances">(edges, 1) A, above zero</param>
    /// <param name="frequencies">(K) w_k in 1/A</param>
    /// <returns>(edges, K)</returns>
    public static Tensor Apply(Tensor distances, Tensor frequencies)
    {
        using DisposeScope scope = NewDisposeScope();
        return ((distances * frequencies).sin() / distances).MoveToOuterDisposeScope();
    }
}
