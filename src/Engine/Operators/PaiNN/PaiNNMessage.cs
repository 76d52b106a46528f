using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

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
            return PaiNNMessageKernelFunction.Apply(context, vectors, pairs, filter);
        return OperatorModes.UseHost(context)
            ? PaiNNMessageFunction.Apply(context, vectors, pairs, filter)
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
