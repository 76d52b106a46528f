using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

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
