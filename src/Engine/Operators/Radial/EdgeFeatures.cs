using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

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
