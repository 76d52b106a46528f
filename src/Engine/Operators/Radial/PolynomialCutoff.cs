using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// f(d) = 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2), x = d / cutoff, 0 from the cutoff on; two continuous derivatives
/// (Gasteiger et al. 2020, equation 8).
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
        Tensor x = (distances / cutoff).clamp(max: 1);
        Tensor inner = (x * (-p * (p + 1) / 2) + p * (p + 2)) * x - (p + 1) * (p + 2) / 2;
        return (x.pow(p) * inner + 1).MoveToOuterDisposeScope();
    }
}
