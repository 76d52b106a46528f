using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>What Allegro's layers need to know of the edges.</summary>
/// <param name="Edges">Which atoms they join.</param>
/// <param name="Envelope">(edges, 1) cutoff function; zero from the cutoff on</param>
/// <param name="Radial">(edges, K) normalised radial basis times the envelope</param>
/// <param name="Harmonics">(edges, (L + 1)^2) of the directions</param>
/// <param name="Orders">((L + 1)^2) int64: l of each component</param>
internal readonly record struct AllegroEdges(EdgeList Edges, Tensor Envelope, Tensor Radial, Tensor Harmonics, Tensor Orders);
