using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// The environment of each atom (Musaelian et al. 2023), without its norm: y_i,j,u = sum over edges e of i of w_e,l(j),u Y_e,j.
/// </summary>
public static class AllegroEnvironment
{
    /// <param name="weights">(edges, L + 1, U) w</param>
    /// <param name="harmonics">(edges, (L + 1)^2) Y</param>
    /// <param name="orders">((L + 1)^2) int64: l of each component</param>
    /// <param name="edges">The edges.</param>
    /// <returns>(atoms, (L + 1)^2, U); zero for an atom without edges.</returns>
    public static Tensor Apply(Tensor weights, Tensor harmonics, Tensor orders, EdgeList edges)
    {
        using Tensor terms = WeightedHarmonics.Apply(weights, harmonics, orders);
        return ReceiverSum.Apply(terms, edges);
    }
}

/// <summary>Harmonics of an edge's direction with a weight for each order and channel: x_e,j,u = w_e,l(j),u Y_e,j.</summary>
public static class WeightedHarmonics
{
    /// <param name="weights">(edges, L + 1, U) w</param>
    /// <param name="harmonics">(edges, (L + 1)^2) Y</param>
    /// <param name="orders">((L + 1)^2) int64: l of each component</param>
    /// <returns>(edges, (L + 1)^2, U)</returns>
    public static Tensor Apply(Tensor weights, Tensor harmonics, Tensor orders)
    {
        using DisposeScope scope = NewDisposeScope();
        return (weights.index_select(1, orders) * harmonics.unsqueeze(2)).MoveToOuterDisposeScope();
    }
}
