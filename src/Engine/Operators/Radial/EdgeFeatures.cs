using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>What message passing needs to know of the edges. What a distance decides is there once for both ways.</summary>
/// <param name="Pairs">Which atoms they join.</param>
/// <param name="Vectors">(pairs, 3) A, from receiver to sender</param>
/// <param name="Distances">(pairs, 1) A</param>
/// <param name="Radial">(pairs, K) radial basis</param>
/// <param name="Envelope">(pairs, 1) cutoff function; zero from the cutoff on</param>
public readonly record struct EdgeFeatures(PairList Pairs, Tensor Vectors, Tensor Distances, Tensor Radial, Tensor Envelope);
