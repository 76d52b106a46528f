using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>
/// PaiNN's message (Schütt et al. 2021, equations 7 and 8): with [a | b | c] = x_j * (phi(d) W^T + bias) f(d) for each edge j -> i,
/// dq_i = sum of a and dmu_i = sum of b u + c mu_j, u the unit vector from i to j.
/// </summary>
public static class PaiNNMessage
{
    /// <param name="context">(atoms, 3 F) x</param>
    /// <param name="vectors">(atoms, 3, F) mu; null: zero, as before the first message</param>
    /// <param name="pairs">The edges: u and [phi f | f].</param>
    /// <param name="filter">(3 F, K + 1) [W | bias]</param>
    /// <returns>dq (atoms, F) and dmu (atoms, 3, F)</returns>
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor context, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        // Kernels take each edge for itself, as do the radial ones.
        if (OperatorModes.UseKernels(context) && pairs is { Edges: not null, Pairs.TwoWay: 0 })
            return PaiNNMessageKernelsFunction.Apply(context, vectors, pairs, filter);
        return OperatorModes.UseHost(context)
            ? PaiNNMessageHostFunction.Apply(context, vectors, pairs, filter)
            : Composed(context, vectors, pairs, filter);
    }

    /// <summary>From library operations on all edges at once: the oracle.</summary>
    internal static (Tensor Scalars, Tensor Vectors) Composed(Tensor context, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        using DisposeScope scope = NewDisposeScope();
        PairList list = pairs.Pairs;
        long features = context.size(1) / 3;
        Tensor filters = list.OfEdges(pairs.Radial.matmul(filter.t())), directions = list.OfEdges(pairs.Directions, odd: true);
        Tensor weighted = SenderRows.Apply(context, list) * filters;
        Tensor along = weighted.narrow(1, features, features).unsqueeze(1) * directions.unsqueeze(2);
        if (vectors is not null)
            along = along + weighted.narrow(1, 2 * features, features).unsqueeze(1) * SenderRows.Apply(vectors, list);
        Tensor scalarSum = ReceiverSum.Apply(weighted.narrow(1, 0, features), list);
        return (scalarSum.MoveToOuterDisposeScope(), ReceiverSum.Apply(along, list).MoveToOuterDisposeScope());
    }
}

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
