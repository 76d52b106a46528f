using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

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
