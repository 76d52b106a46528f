using ChemScale.Kernels.Maths;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Radial;

/// <summary>Behler's cutoff: f(d) = (cos(pi d / cutoff) + 1) / 2 below the cutoff, 0 from there on; its slope is continuous.</summary>
public static class CosineCutoff
{
    /// <param name="distances">(edges, 1) A</param>
    /// <param name="cutoff">A</param>
    /// <returns>(edges, 1)</returns>
    public static Tensor Apply(Tensor distances, double cutoff)
    {
        using DisposeScope scope = NewDisposeScope();
        // Held at the cutoff the cosine is -1 to the last bit, so longer edges give zero and pass no gradient.
        Tensor angle = distances.clamp(max: cutoff) * (Math.PI / cutoff);
        return ((angle.cos() + 1) * 0.5).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// f(d) = 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2), x = d / cutoff, 0 from the cutoff on; two continuous derivatives
/// (Gasteiger et al. 2020, equation 8). 1 where x^p is negligible.
/// </summary>
public static class PolynomialCutoff
{
    /// <param name="distances">(edges, 1) A</param>
    /// <param name="cutoff">A</param>
    /// <param name="power">p, 2 or more</param>
    /// <returns>(edges, 1)</returns>
    public static Tensor Apply(Tensor distances, double cutoff, int power)
    {
        using DisposeScope scope = NewDisposeScope();
        double p = power;
        // Held at 1 the integer coefficients cancel exactly.
        Tensor x = Underflow.Drop((distances / cutoff).clamp(max: 1), Math.Pow(Negligible.Value, 1 / p));
        Tensor inner = (x * (-p * (p + 1) / 2) + p * (p + 2)) * x - (p + 1) * (p + 2) / 2;
        return (x.pow(p) * inner + 1).MoveToOuterDisposeScope();
    }
}

/// <summary>f(d) = exp(-d^2 / ((c - d) (c + d))) below the cutoff c, 0 from there on: every derivative is continuous (Unke et al. 2021), but
/// for <see cref="Underflow"/>.</summary>
public static class BumpCutoff
{
    /// <param name="distances">(edges, 1) A</param>
    /// <param name="cutoff">A</param>
    /// <returns>(edges, 1)</returns>
    public static Tensor Apply(Tensor distances, double cutoff)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor inside = distances.lt(cutoff).to(distances.dtype);
        // Longer edges are put at zero, where the exponent has a value, before they are switched off.
        Tensor d = distances * inside;
        return (Underflow.Exp(-d * d / ((cutoff - d) * (cutoff + d))) * inside).MoveToOuterDisposeScope();
    }
}
