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
    /// <param name="edges">Directions u (edges, 3), radial basis phi (edges, K) and cutoff f (edges, 1) of the edges.</param>
    /// <param name="filterWeight">(3 F, K) W</param>
    /// <param name="filterBias">(3 F)</param>
    /// <returns>dq (atoms, F) and dmu (atoms, 3, F)</returns>
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor context, Tensor? vectors, in EdgeFeatures edges,
        Tensor filterWeight, Tensor filterBias)
    {
        using DisposeScope scope = NewDisposeScope();
        long features = context.size(1) / 3;
        Tensor filter = nn.functional.linear(edges.Radial, filterWeight, filterBias) * edges.Envelope;
        Tensor weighted = SenderRows.Apply(context, edges.Edges) * filter;
        Tensor along = weighted.narrow(1, features, features).unsqueeze(1) * edges.Directions.unsqueeze(2);
        if (vectors is not null)
            along = along + weighted.narrow(1, 2 * features, features).unsqueeze(1) * SenderRows.Apply(vectors, edges.Edges);
        Tensor scalarSum = ReceiverSum.Apply(weighted.narrow(1, 0, features), edges.Edges);
        return (scalarSum.MoveToOuterDisposeScope(), ReceiverSum.Apply(along, edges.Edges).MoveToOuterDisposeScope());
    }
}
