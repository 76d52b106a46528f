using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Segments;

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

/// <summary>Sums the values of each atom's incoming edges, in the order of the edges: y_i = sum over e with receiver(e) = i of x_e.</summary>
public static class ReceiverSum
{
    /// <param name="values">(edges, ...)</param>
    /// <param name="edges">The edges.</param>
    /// <returns>(atoms, ...); zero for an atom without edges.</returns>
    public static Tensor Apply(Tensor values, EdgeList edges) => Apply(values, edges.Receivers, edges.Atoms);

    /// <inheritdoc cref="Apply(Tensor, EdgeList)"/>
    public static Tensor Apply(Tensor values, PairList edges) => Apply(values, edges.Receivers, edges.Atoms);

    private static Tensor Apply(Tensor values, Tensor receivers, int atoms)
    {
        long[] shape = values.shape;
        shape[0] = atoms;
        using Tensor start = zeros(shape, dtype: values.dtype, device: values.device);
        return start.index_add(0, receivers, values, 1);
    }
}
