using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Radial;

/// <summary>
/// What message passing needs to know of the edges. What depends on the distance alone is there once for both directions, where the form
/// of the operations makes use of that: else each edge is a pair of its own, in the order of the edges.
/// </summary>
/// <param name="Edges">Which atoms they join.</param>
/// <param name="Pairs">The same as pairs.</param>
/// <param name="Vectors">(pairs, 3) A, from receiver to sender</param>
/// <param name="Distances">(pairs, 1) A</param>
/// <param name="Directions">(pairs, 3) unit vectors</param>
/// <param name="Radial">(pairs, K) radial basis</param>
/// <param name="Envelope">(pairs, 1) cutoff function; zero from the cutoff on</param>
public readonly record struct EdgeFeatures(
    EdgeList Edges, PairList Pairs, Tensor Vectors, Tensor Distances, Tensor Directions, Tensor Radial, Tensor Envelope);

/// <summary>Vectors from receiver to sender: r_e = positions[sender] + shift - positions[receiver].</summary>
public static class EdgeVectors
{
    /// <param name="positions">(atoms, 3) A</param>
    /// <param name="edges">The edges.</param>
    /// <param name="shiftVectors">(edges, 3) A: the lattice vector to the sender's image; null: no periodicity.</param>
    /// <returns>(edges, 3) A</returns>
    public static Tensor Apply(Tensor positions, EdgeList edges, Tensor? shiftVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = positions.index_select(0, edges.Senders) - positions.index_select(0, edges.Receivers);
        if (shiftVectors is not null) vectors = vectors + shiftVectors;
        return vectors.MoveToOuterDisposeScope();
    }
}

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
