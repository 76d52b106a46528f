using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>f(d) = exp(-d^2 / ((c - d) (c + d))) below the cutoff c, 0 from there on: every derivative is continuous (Unke et al. 2021).</summary>
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
        return ((-d * d / ((cutoff - d) * (cutoff + d))).exp() * inside).MoveToOuterDisposeScope();
    }
}
