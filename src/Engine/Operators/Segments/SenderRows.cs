using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Brings the values of each edge's sender to the edge: y_e = x_sender(e).</summary>
public static class SenderRows
{
    /// <param name="values">(atoms, ...)</param>
    /// <param name="edges">The edges.</param>
    /// <returns>(edges, ...)</returns>
    public static Tensor Apply(Tensor values, EdgeList edges) => values.index_select(0, edges.Senders);

    /// <inheritdoc cref="Apply(Tensor, EdgeList)"/>
    /// <returns>(edges, ...), in the order of the list's senders</returns>
    public static Tensor Apply(Tensor values, PairList edges) => values.index_select(0, edges.Senders);
}
