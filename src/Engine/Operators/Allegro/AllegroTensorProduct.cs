using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Allegro's tensor product (Musaelian et al. 2023, equation 12): each edge's features times the environment of its receiver, channel by
/// channel, z_e,k,u = sum over i, j of C_kij x_e,i,u y_receiver(e),j,u. Environments are of atoms, not edges: products distribute over sums.
/// </summary>
public static class AllegroTensorProduct
{
    /// <param name="features">(edges, I, U) x</param>
    /// <param name="environments">(atoms, J, U) y</param>
    /// <param name="edges">The edges.</param>
    /// <param name="table">C</param>
    /// <returns>(edges, K, U)</returns>
    public static Tensor Apply(Tensor features, Tensor environments, EdgeList edges, TensorProductTable table)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor around = environments.index_select(0, edges.Receivers);
        // One product of all pairs and one GEMM: the paths themselves are far too small for operations of their own.
        Tensor pairs = table.IsDiagonal
            ? features * around
            : (features.unsqueeze(2) * around.unsqueeze(1)).reshape(edges.Count, table.Left * table.Right, features.size(2));
        return table.Matrix.unsqueeze(0).expand(edges.Count, -1, -1).bmm(pairs).MoveToOuterDisposeScope();
    }
}
