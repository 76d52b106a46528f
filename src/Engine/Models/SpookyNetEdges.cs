using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>The edges within the cutoff of the local interactions.</summary>
/// <param name="Senders">(edges) int64</param>
/// <param name="Receivers">(edges) int64</param>
/// <param name="Distances">(edges, 1) A</param>
/// <param name="Envelope">(edges, 1) cutoff function</param>
/// <param name="Radial">(edges, K) radial basis, cutoff function included</param>
/// <param name="Harmonics">(edges, 9) orders 0, 1, 2 of the directions, each of norm 1</param>
internal readonly record struct SpookyNetEdges(
    Tensor Senders, Tensor Receivers, Tensor Distances, Tensor Envelope, Tensor Radial, Tensor Harmonics);
