using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Engine.Operators.Radial;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>PaiNN (Schütt et al. 2021): atoms carry scalars and vectors and exchange both, equivariant under rotation and reflection.</summary>
public sealed class PaiNN : RadialForceField
{
    private readonly Parameter elementTable;
    private readonly Dense filters;
    private readonly PaiNNInteraction[] interactions;
    private readonly EnergyHead head;

    /// <param name="config">Shape; validated.</param>
    /// <param name="seed">Initial weights: normal(0, 1) element table, Glorot's uniform matrices, zero biases.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">Where the weights live; null: the CPU.</param>
    public PaiNN(PaiNNConfig config, long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(nameof(PaiNN), config, dtype, device)
    {
        Config = config;
        using var generator = new Generator((ulong)seed, device);
        var init = new ParameterInit(generator, 1, dtype, device);
        elementTable = init.Normal(config.MaxAtomicNumber + 1, config.Features);
        register_parameter("embedding", elementTable);
        filters = new Dense(config.RadialFunctions, 3 * config.Features * config.Interactions, init);
        register_module("filters", filters);
        interactions = new PaiNNInteraction[config.Interactions];
        for (int t = 0; t < interactions.Length; t++) interactions[t] = new PaiNNInteraction(new ModulePath(this).At($"interaction{t}"), config, init);
        head = new EnergyHead(config.Features, init);
        register_module("head", head);
    }

    public new PaiNNConfig Config { get; }

    public override IEnumerable<(string Name, Parameter Weight)> PublishedWeights =>
    [
        ("representation.embedding.weight", elementTable),
        .. filters.Named("representation.filter_net"),
        .. interactions.SelectMany((interaction, t) => interaction.Named($"representation.interactions.{t}", $"representation.mixing.{t}")),
        .. head.Named("output_modules.0.outnet"),
    ];

    /// <inheritdoc/>
    protected override Tensor AtomEnergies(GraphBatch batch, Tensor edgeVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        EdgeFeatures edges = Describe(batch.Edges, edgeVectors);
        var pairs = new PaiNNPairs(edges);
        Tensor q = elementTable.index_select(0, batch.AtomicNumbers);
        Tensor? mu = null;
        long rows = 3 * Config.Features;
        for (int t = 0; t < interactions.Length; t++)
        {
            Tensor weight = filters.Weight.narrow(0, t * rows, rows), bias = filters.Bias!.narrow(0, t * rows, rows);
            (q, mu) = interactions[t].Forward(q, mu, pairs, cat([weight, bias.unsqueeze(1)], 1));
        }
        return head.Forward(q).MoveToOuterDisposeScope();
    }
}
