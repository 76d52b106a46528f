using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>What message passing needs to know of the edges.</summary>
/// <param name="Edges">Which atoms they join.</param>
/// <param name="Vectors">(edges, 3) A, from receiver to sender</param>
/// <param name="Distances">(edges, 1) A</param>
/// <param name="Directions">(edges, 3) unit vectors</param>
/// <param name="Radial">(edges, K) radial basis</param>
/// <param name="Envelope">(edges, 1) cutoff function; zero from the cutoff on</param>
public readonly record struct EdgeFeatures(
    EdgeList Edges, Tensor Vectors, Tensor Distances, Tensor Directions, Tensor Radial, Tensor Envelope);
