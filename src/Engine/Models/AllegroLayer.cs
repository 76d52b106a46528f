using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Allegro;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>One layer of Allegro: environments of the atoms, and the tensor product of each edge's features with its receiver's.</summary>
internal sealed class AllegroLayer : IDisposable
{
    private readonly AllegroWeights weights;
    private readonly AllegroLinear? linear;
    private readonly AllegroPaths paths;
    private readonly TensorProductTable table;
    private readonly bool isFirst;

    /// <param name="at">Where the tensors of all layers go.</param>
    /// <param name="config">Shape.</param>
    /// <param name="layer">From 0. The first makes the edge features; the last needs no linear layer: only its scalars are used.</param>
    /// <param name="paths">Its tensor product.</param>
    /// <param name="init">Makes the parameters.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">null: the CPU.</param>
    public AllegroLayer(ModulePath at, AllegroConfig config, int layer, AllegroPaths paths, ParameterInit init, ScalarType dtype,
        Device? device)
    {
        this.paths = paths;
        isFirst = layer == 0;
        weights = new AllegroWeights(at.At($"env_embed_mlps.{layer}"), config, isFirst ? 2 : 1, init);
        if (layer < config.Layers - 1) linear = new AllegroLinear(at.At($"linears.{layer}"), paths, config.Features, init);
        table = paths.Table(dtype, device);
    }

    /// <param name="latent">(edges, D)</param>
    /// <param name="features">(edges, I, U) of the layer before; null in the first</param>
    /// <param name="edges">The edges.</param>
    /// <param name="norm">(1) Factor of the environment sums.</param>
    /// <returns>(edges, paths, U) scalars, and (edges, I', U) features; null after the last layer</returns>
    public (Tensor Scalars, Tensor? Features) Forward(Tensor latent, Tensor? features, in AllegroEdges edges, Tensor norm)
    {
        using DisposeScope scope = NewDisposeScope();
        if (isFirst) features = WeightedHarmonics.Apply(weights.Forward(latent, 0), edges.Harmonics, edges.Orders);
        Tensor w = weights.Forward(latent, isFirst ? 1 : 0, norm);
        Tensor environments = AllegroEnvironment.Apply(w, edges.Harmonics, edges.Orders, edges.Edges);
        Tensor product = AllegroTensorProduct.Apply(features!, environments, edges.Edges, table);
        if (linear is null) return (product.MoveToOuterDisposeScope(), null);
        Tensor[] products = product.split([.. paths.Outputs.Zip(paths.Counts, (o, n) => (long)o.Components * n)], 1);
        return (products[0].MoveToOuterDisposeScope(), linear.Forward(products).MoveToOuterDisposeScope());
    }

    public void Dispose() => table.Dispose();
}
