using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// Allegro's tensor product (Musaelian et al. 2023): each edge's features times the environment of its receiver, channel by channel,
/// z_e,k,u = sum over i, j of C_kij x_e,i,u y_receiver(e),j,u. Products distribute over sums, so that one product with the environment
/// stands for those with every neighbour.
/// </summary>
public static class AllegroTensorProduct
{
    /// <param name="features">(edges, I, U) x</param>
    /// <param name="environments">(atoms, J, U) y</param>
    /// <param name="edges">The edges.</param>
    /// <param name="table">C</param>
    /// <returns>(edges, K, U)</returns>
    public static Tensor Apply(Tensor features, Tensor environments, EdgeList edges, TensorProductTable table) =>
        OperatorModes.UseKernels(features)
            ? AllegroTensorProductKernelsFunction.Apply(features, environments, edges, table, ProductFactor.Output)
            : Composed(features, environments, edges, table);

    /// <summary>From library operations: the oracle.</summary>
    internal static Tensor Composed(Tensor features, Tensor environments, EdgeList edges, TensorProductTable table)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor around = environments.index_select(0, edges.Receivers);
        if (table.IsDiagonal) return Contract(table.Matrices[0], features * around).MoveToOuterDisposeScope();
        // All pairs of components, then a GEMM: the paths themselves are far too small for operations of their own.
        around = around.unsqueeze(1);
        if (table.OutputOrder is null) return Contract(table.Matrices[0], Pairs(features)).MoveToOuterDisposeScope();
        Tensor[] blocks = features.split(table.BlockSizes, 1);
        Tensor products = cat([.. blocks.Select((block, b) => Contract(table.Matrices[b], Pairs(block)))], 1);
        return products.index_select(1, table.OutputOrder).MoveToOuterDisposeScope();

        Tensor Pairs(Tensor block) => (block.unsqueeze(2) * around).reshape(edges.Count, block.size(1) * table.Right, block.size(2));

        Tensor Contract(Tensor matrix, Tensor values) => matrix.unsqueeze(0).expand(edges.Count, -1, -1).bmm(values);
    }
}
