using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>What PaiNN's messages need to know of the edges, made once for all layers. In the current dispose scope.</summary>
public sealed class PaiNNPairs
{
    public PaiNNPairs(in EdgeFeatures edges)
    {
        Edges = edges.Edges;
        Pairs = edges.Pairs;
        Directions = edges.Directions;
        Radial = cat([edges.Radial * edges.Envelope, edges.Envelope], 1);
    }

    /// <summary>Each edge for itself.</summary>
    internal PaiNNPairs(EdgeList edges, Tensor directions, Tensor radial)
        : this(edges.OneWay, directions, radial) => Edges = edges;

    internal PaiNNPairs(PairList pairs, Tensor directions, Tensor radial) => (Pairs, Directions, Radial) = (pairs, directions, radial);

    public PairList Pairs { get; }

    /// <summary>The edges of the pairs; null where only pairs are known.</summary>
    internal EdgeList? Edges { get; }

    /// <summary>(pairs, 3) unit vectors</summary>
    public Tensor Directions { get; }

    /// <summary>(pairs, K + 1) [phi f | f]: one product with [W | bias] then gives the whole filter (phi W^T + bias) f.</summary>
    public Tensor Radial { get; }
}
