using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Radial;

/// <summary>Gaussians of a distance: phi_k(d) = exp(-(d - o_k)^2 / (2 s_k^2)) (Schütt et al. 2017), by <see cref="Underflow"/>.</summary>
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
        return Underflow.Exp(difference * difference * exponents).MoveToOuterDisposeScope();
    }
}

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

/// <summary>
/// Bernstein polynomials of e^-r, r = decay d: b_v(d) = binom(K-1, v) e^(-(K-1-v) r) (1 - e^-r)^v e^-r, v = 0 .. K-1 (Unke et al. 2021;
/// the last factor lets all of them decay). Formed as one exponential, by <see cref="Underflow"/>: products of the factors would underflow.
/// </summary>
public static class ExponentialBernsteinBasis
{
    /// <param name="distances">(edges, 1) A, above zero</param>
    /// <param name="decay">(1) 1/A, positive</param>
    /// <param name="powers">(2, K) of e^r and of 1 - e^-r: <see cref="Powers"/></param>
    /// <param name="logBinomials">(K) <see cref="LogBinomials"/></param>
    /// <returns>(edges, K)</returns>
    public static Tensor Apply(Tensor distances, Tensor decay, Tensor powers, Tensor logBinomials)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rho = distances * decay;
        Tensor logs = cat([rho, (-(-rho).expm1()).log()], 1);
        return Underflow.Exp(logs.matmul(powers) + logBinomials).MoveToOuterDisposeScope();
    }

    /// <summary>(2, K): v - K and v.</summary>
    public static double[,] Powers(int count)
    {
        var powers = new double[2, count];
        for (int v = 0; v < count; v++) (powers[0, v], powers[1, v]) = (v - count, v);
        return powers;
    }

    /// <summary>(K): ln binom(K-1, v).</summary>
    public static double[] LogBinomials(int count)
    {
        var logs = new double[count];
        for (int v = 1; v < count; v++) logs[v] = logs[v - 1] + Math.Log((double)(count - v) / v);
        return logs;
    }
}
