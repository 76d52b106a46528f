using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Allegro;
using TorchSharp;
using TorchSharp.Modules;
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

    /// <summary>Its tensor product.</summary>
    public AllegroProduct Product => new(table.Entries, table.Left, table.Outputs, [.. paths.Outputs.Zip(paths.Counts, (o, n) => new AllegroOutput(o.Components, n))], () => table);

    /// <summary>In the order of <see cref="AllegroEnergies"/>.</summary>
    public Tensor[] Weights => linear is null ? [weights.Weight] : [weights.Weight, linear.Weight];

    public void Dispose() => table.Dispose();
}

/// <summary>Weights of harmonics from an edge's latent features, for each order and channel: one matrix.</summary>
internal sealed class AllegroWeights
{
    private readonly Parameter weight;
    private readonly int orders;
    private readonly int features;

    /// <param name="at">Where the matrix goes.</param>
    /// <param name="config">Shape.</param>
    /// <param name="sets">How many sets of weights.</param>
    /// <param name="init">Makes the matrix, uniform.</param>
    public AllegroWeights(ModulePath at, AllegroConfig config, int sets, ParameterInit init)
    {
        (orders, features) = (config.LMax + 1, config.Features);
        weight = at.Add("_forward._weight_0", init.Uniform(Math.Sqrt(3), config.LatentWidthList()[^1], sets * features * orders));
    }

    public Parameter Weight => weight;

    /// <param name="latent">(edges, D)</param>
    /// <param name="set">Which of the sets.</param>
    /// <param name="norm">(1) A factor; null: 1.</param>
    /// <returns>(edges, L + 1, U)</returns>
    public Tensor Forward(Tensor latent, int set, Tensor? norm = null)
    {
        using DisposeScope scope = NewDisposeScope();
        long inputs = weight.size(0), count = features * orders;
        double scale = 1 / Math.Sqrt(inputs);
        // The published columns run over channels, then orders. Scaling the matrix is cheaper than scaling what comes of it.
        Tensor columns = weight.narrow(1, set * count, count).reshape(inputs, features, orders).transpose(1, 2).reshape(inputs, count);
        columns = norm is null ? columns * scale : columns * (norm * scale);
        return latent.mm(columns).view(latent.size(0), orders, features).MoveToOuterDisposeScope();
    }
}

/// <summary>Latent features from the latent features before and the scalars of a tensor product.</summary>
internal sealed class AllegroLatent
{
    private readonly AllegroMlp mlp;
    private readonly int width;
    private readonly int features;
    private readonly int scalars;

    public AllegroLatent(ModulePath at, AllegroConfig config, int scalars, ParameterInit init, Tensor gain)
    {
        int[] widths = config.LatentWidthList();
        (width, features, this.scalars) = (widths[^1], config.Features, scalars);
        mlp = new AllegroMlp(at, Widths(widths, features, scalars), init, gain);
    }

    public IReadOnlyList<Parameter> Weights => mlp.Weights;

    public static int[] Widths(IReadOnlyList<int> latentWidths, int features, int scalars) =>
        [latentWidths[^1] + features * scalars, .. latentWidths];

    /// <param name="latent">(edges, D)</param>
    /// <param name="product">(edges, paths, U) scalars</param>
    /// <returns>(edges, D)</returns>
    public Tensor Forward(Tensor latent, Tensor product)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor matrix = mlp.Matrix(0);
        long outputs = matrix.size(1), inputs = features * scalars;
        // The published rows run over channels, then paths; the product has paths, then channels.
        Tensor rows = matrix.narrow(0, width, inputs).view(features, scalars, outputs).transpose(0, 1).reshape(inputs, outputs);
        Tensor hidden = latent.mm(matrix.narrow(0, 0, width)).addmm(product.reshape(latent.size(0), inputs), rows);
        return mlp.AfterFirst(hidden).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// A perceptron without biases whose weights have unit variance: x W / sqrt(inputs), and a gain after each activation that brings its
/// output back to unit mean square. SiLU between the matrices, none at the end.
/// </summary>
internal sealed class AllegroMlp
{
    private readonly Parameter[] weights;
    private readonly Tensor? gain;

    /// <param name="at">Where its weights go.</param>
    /// <param name="widths">Inputs, hidden widths, outputs.</param>
    /// <param name="init">Makes the weights, uniform.</param>
    /// <param name="gain">(1) 1 / sqrt(mean of silu(z)^2), z normal; null: no activation at all.</param>
    public AllegroMlp(ModulePath at, IReadOnlyList<int> widths, ParameterInit init, Tensor? gain)
    {
        this.gain = gain;
        weights = [.. Enumerable.Range(0, widths.Count - 1)
            .Select(i => at.Add($"_forward._weight_{i}", init.Uniform(Math.Sqrt(3), widths[i], widths[i + 1])))];
    }

    public IReadOnlyList<Parameter> Weights => weights;

    public static long Count(IReadOnlyList<int> widths) => Enumerable.Range(0, widths.Count - 1).Sum(i => (long)widths[i] * widths[i + 1]);

    /// <summary>(inputs, outputs) One matrix, scaled, in the current dispose scope.</summary>
    public Tensor Matrix(int layer)
    {
        double scale = 1 / Math.Sqrt(weights[layer].size(0));
        return layer == 0 || gain is null ? weights[layer] * scale : weights[layer] * (gain * scale);
    }

    /// <summary>What follows the first matrix.</summary>
    /// <param name="hidden">(n, first hidden width) before the activation</param>
    /// <returns>(n, outputs)</returns>
    public Tensor AfterFirst(Tensor hidden)
    {
        using DisposeScope scope = NewDisposeScope();
        for (int i = 1; i < weights.Length; i++) hidden = nn.functional.silu(hidden).mm(Matrix(i));
        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>The matrices multiplied out: without activations they are one.</summary>
    /// <returns>(inputs, outputs)</returns>
    public Tensor Collapsed()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor product = Matrix(weights.Length - 1);
        for (int i = weights.Length - 2; i >= 0; i--) product = Matrix(i).mm(product);
        return product.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Mixes channels and paths of each representation, V_v,k = sum over u, p of W_v,u,p z_p,k,u / sqrt(U paths): equivariant, because
/// components of one representation get the same weights.
/// </summary>
internal sealed class AllegroLinear
{
    private readonly Parameter weight;
    private readonly AllegroPaths paths;
    private readonly int features;

    public AllegroLinear(ModulePath at, AllegroPaths paths, int features, ParameterInit init)
    {
        (this.paths, this.features) = (paths, features);
        weight = at.Add("w", init.Normal(Count(paths, features)));
    }

    public Parameter Weight => weight;

    public static long Count(AllegroPaths paths, long features) => features * features * paths.Total;

    /// <param name="products">Per representation (edges, (2 l + 1) paths, U), components first</param>
    /// <returns>(edges, components, U)</returns>
    public Tensor Forward(IReadOnlyList<Tensor> products)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] blocks = weight.split([.. paths.Counts.Select(n => (long)features * features * n)]);
        Tensor[] mixed = [.. products.Select((product, o) => Mix(product, blocks[o], paths.Outputs[o].Components, paths.Counts[o]))];
        return cat(mixed, 1).MoveToOuterDisposeScope();
    }

    private Tensor Mix(Tensor product, Tensor block, int components, int count)
    {
        long edges = product.size(0), inputs = features * count;
        Tensor matrix = block.view(features, features, count).permute(2, 1, 0).reshape(inputs, features) / Math.Sqrt(inputs);
        return product.reshape(edges * components, inputs).mm(matrix).view(edges, components, features);
    }
}
