using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Gaussians of a distance: phi_k(d) = exp(-(d - o_k)^2 / (2 s_k^2)) (Schütt et al. 2017).</summary>
public static class GaussianBasis
{
    /// <param name="distances">(edges, 1) A</param>
    /// <param name="offsets">(K) o_k in A</param>
    /// <param name="exponents">(K) -1 / (2 s_k^2) in 1/A^2</param>
    /// <returns>(edges, K)</returns>
    public static Tensor Apply(Tensor distances, Tensor offsets, Tensor exponents)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor difference = distances - offsets;
        return (difference * difference * exponents).exp().MoveToOuterDisposeScope();
    }
}
