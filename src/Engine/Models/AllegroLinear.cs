using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

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
