using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

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
