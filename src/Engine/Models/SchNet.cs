using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Radial;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>SchNet (Schütt et al. 2017): atoms exchange features through filters that depend on distance alone.</summary>
public sealed class SchNet : RadialForceField
{
    private readonly Parameter elementTable;
    private readonly SchNetInteraction[] interactions;
    private readonly EnergyHead head;

    /// <param name="config">Shape; validated.</param>
    /// <param name="seed">Initial weights: normal(0, 1) element table, Glorot's uniform matrices, zero biases.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">Where the weights live; null: the CPU.</param>
    public SchNet(SchNetConfig config, long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(nameof(SchNet), config, dtype, device)
    {
        Config = config;
        using var generator = new Generator((ulong)seed, device);
        var init = new ParameterInit(generator, 1, dtype, device);
        elementTable = init.Normal(config.MaxAtomicNumber + 1, config.Features);
        register_parameter("embedding", elementTable);
        interactions = new SchNetInteraction[config.Interactions];
        for (int t = 0; t < interactions.Length; t++) interactions[t] = new SchNetInteraction(new ModulePath(this).At($"interaction{t}"), config, init);
        head = new EnergyHead(config.Features, init);
        register_module("head", head);
    }

    public new SchNetConfig Config { get; }

    public override IEnumerable<(string Name, Parameter Weight)> PublishedWeights =>
    [
        ("representation.embedding.weight", elementTable),
        .. interactions.SelectMany((interaction, t) => interaction.Named($"representation.interactions.{t}")),
        .. head.Named("output_modules.0.outnet"),
    ];

    /// <inheritdoc/>
    protected override Tensor AtomEnergies(GraphBatch batch, Tensor edgeVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        EdgeFeatures edges = Describe(batch.Edges, edgeVectors);
        Tensor x = elementTable.index_select(0, batch.AtomicNumbers);
        foreach (SchNetInteraction interaction in interactions) x = interaction.Forward(x, edges);
        return head.Forward(x).MoveToOuterDisposeScope();
    }
}
