using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Lengths of edges. They have no derivative at zero: two atoms must not share a point.</summary>
public static class EdgeDistances
{
    /// <param name="edgeVectors">(edges, 3) A</param>
    /// <returns>(edges, 1) A</returns>
    public static Tensor Apply(Tensor edgeVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        return (edgeVectors * edgeVectors).sum(-1, keepdim: true).sqrt().MoveToOuterDisposeScope();
    }
}
