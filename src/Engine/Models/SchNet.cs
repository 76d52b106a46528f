using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.SchNet;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>SchNet (Schütt et al. 2017): atoms exchange features through filters that depend on distance alone.</summary>
internal sealed class SchNet : RadialForceField
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
    private protected override IForcePasses? MakePasses()
    {
        using DisposeScope scope = NewDisposeScope();
        return new SchNetForceWeights(ForceWeights(elementTable, head), [.. interactions.Select(interaction => interaction.ForceWeights)]).Passes();
    }

    /// <inheritdoc/>
    protected override Tensor AtomEnergies(GraphBatch batch, Tensor edgeVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        EdgeFeatures edges = Describe(batch.Edges, edgeVectors);
        Tensor x = elementTable.index_select(0, batch.AtomicNumbers);
        foreach (SchNetInteraction interaction in interactions) x = interaction.Forward(x, edges);
        return head.Forward(x).MoveToOuterDisposeScope();
    }

    private protected override (Tensor Energies, Tensor ByVectors)? WithDerivative(GraphBatch batch, Tensor pairVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        RadialFunctions functions = Functions();
        Tensor?[] inputs = [pairVectors, functions.Centers, functions.Exponents, elementTable, .. interactions.SelectMany(i => i.Weights), .. head.Weights];
        if (!SchNetEnergies.Has(inputs) || Blocks(batch) is not { } graph) return null;
        (Tensor energies, Tensor by) = SchNetEnergies.Apply(EnergySettings.Of(functions, interactions.Length), batch.Edges.Pairs, graph, batch.AtomicNumbers, inputs);
        return (energies.MoveToOuterDisposeScope(), by.MoveToOuterDisposeScope());
    }
}

/// <summary>Shape of a <see cref="SchNet"/>.</summary>
internal sealed record SchNetConfig : RadialForceFieldConfig
{
    /// <summary>Features of an atom, F.</summary>
    public int Features { get; init; } = 128;

    /// <summary>Features while convolved; 0: as many as <see cref="Features"/>.</summary>
    public int Filters { get; init; }

    public int Interactions { get; init; } = 3;

    public override long Parameters => (MaxAtomicNumber + 1L) * Features + NonEmbeddingParameters;

    public override long NonEmbeddingParameters
    {
        get
        {
            long f = Features, n = FilterWidth;
            long filter = Dense.Count(RadialFunctions, n) + Dense.Count(n, n);
            return Interactions * (Dense.Count(f, n, bias: false) + filter + Dense.Count(n, f) + Dense.Count(f, f)) + EnergyHead.Count(f);
        }
    }

    /// <inheritdoc/>
    public override FlopCount Flops
    {
        get
        {
            double f = Features, n = FilterWidth;
            var interaction = new FlopCount(f * n + n * f + f * f, RadialFunctions * n + n * n + n);
            return 2 * (Interactions * interaction + EnergyHead.Flops(f));
        }
    }

    internal int FilterWidth => Filters > 0 ? Filters : Features;

    public override string Title => nameof(SchNet);

    public override ForceFieldConfig Shaped(int depth, int width) => this with { Interactions = depth, Features = width };

    public override ForceField Create(long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null) => new SchNet(this, seed, dtype, device);

    public override void Validate(string place = "model")
    {
        base.Validate(place);
        AtLeast(2, Features, "features", place);
        AtLeast(0, Filters, "filters", place);
        AtLeast(1, Interactions, "interactions", place);
    }
}

/// <summary>One interaction of SchNet: x += f2out(convolution(in2f x)).</summary>
internal sealed class SchNetInteraction
{
    private readonly Dense input;
    private readonly Dense filter1;
    private readonly Dense filter2;
    private readonly Dense output1;
    private readonly Dense output2;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="config">Features, filters and radial functions.</param>
    /// <param name="init">Makes the parameters.</param>
    public SchNetInteraction(ModulePath at, SchNetConfig config, ParameterInit init)
    {
        int features = config.Features, filters = config.FilterWidth;
        input = at.Add("in2f", new Dense(features, filters, init, bias: false));
        filter1 = at.Add("filter1", new Dense(config.RadialFunctions, filters, init));
        filter2 = at.Add("filter2", new Dense(filters, filters, init));
        output1 = at.Add("output1", new Dense(filters, features, init));
        output2 = at.Add("output2", new Dense(features, features, init));
    }

    public SchNetLayerWeights ForceWeights => new(
        input.Weight, filter1.Weight, filter1.Bias!, filter2.Weight, filter2.Bias!, output1.Weight, output1.Bias!, output2.Weight, output2.Bias!);

    /// <param name="x">(atoms, F)</param>
    /// <param name="edges">The edges.</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor x, in EdgeFeatures edges)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor messages = ContinuousFilter.Apply(input.Forward(x), edges, filter1.Weight, filter1.Bias!, filter2.Weight, filter2.Bias!);
        return (x + output2.Forward(ShiftedSoftplus.Apply(output1.Forward(messages)))).MoveToOuterDisposeScope();
    }

    /// <summary>In the order of <see cref="SchNetEnergies"/>.</summary>
    public Tensor[] Weights =>
    [
        input.Weight, filter1.Weight, filter1.Bias!, filter2.Weight, filter2.Bias!, output1.Weight, output1.Bias!, output2.Weight, output2.Bias!,
    ];

    public IEnumerable<(string Name, Parameter Weight)> Named(string name) =>
    [
        .. input.Named(name + ".in2f"),
        .. output1.Named(name + ".f2out.0"), .. output2.Named(name + ".f2out.1"),
        .. filter1.Named(name + ".filter_network.0"), .. filter2.Named(name + ".filter_network.1"),
    ];
}
