using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Engine.Operators.Radial;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>PaiNN (Schütt et al. 2021): atoms carry scalars and vectors and exchange both, equivariant under rotation and reflection.</summary>
internal sealed class PaiNN : RadialForceField
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
    private protected override IForcePasses? MakePasses()
    {
        using DisposeScope scope = NewDisposeScope();
        long rows = 3 * Config.Features;
        return new PaiNNForceWeights(
            ForceWeights(elementTable, head),
            [.. interactions.Select((layer, t) => layer.ForceWeights(filters.Weight.narrow(0, t * rows, rows), filters.Bias!.narrow(0, t * rows, rows)))],
            Config.NormEpsilon).Passes();
    }

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

    private protected override (Tensor Energies, Tensor ByVectors)? WithDerivative(GraphBatch batch, Tensor pairVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        RadialFunctions functions = Functions();
        Tensor?[] inputs =
        [
            pairVectors, functions.Centers, functions.Exponents, elementTable, filters.Weight, filters.Bias, .. interactions.SelectMany(i => i.Weights), .. head.Weights,
        ];
        if (!PaiNNEnergies.Has(inputs) || Blocks(batch) is not { } graph) return null;
        var settings = EnergySettings.Of(functions, interactions.Length, Config.NormEpsilon);
        (Tensor energies, Tensor by) = PaiNNEnergies.Apply(settings, batch.Edges.Pairs, graph, batch.AtomicNumbers, inputs);
        return (energies.MoveToOuterDisposeScope(), by.MoveToOuterDisposeScope());
    }
}

/// <summary>Shape of a <see cref="PaiNN"/>.</summary>
internal sealed record PaiNNConfig : RadialForceFieldConfig
{
    /// <summary>Scalar features of an atom, and as many vectors: F.</summary>
    public int Features { get; init; } = 128;

    public int Interactions { get; init; } = 3;

    /// <summary>Added to squared norms of vectors, to keep them differentiable at zero.</summary>
    public double NormEpsilon { get; init; } = 1e-8;

    public override long Parameters => (MaxAtomicNumber + 1L) * Features + NonEmbeddingParameters;

    public override long NonEmbeddingParameters
    {
        get
        {
            long f = Features;
            long message = Dense.Count(RadialFunctions, 3 * f) + Dense.Count(f, f) + Dense.Count(f, 3 * f);
            long mixing = Dense.Count(f, 2 * f, bias: false) + Dense.Count(2 * f, f) + Dense.Count(f, 3 * f);
            return Interactions * (message + mixing) + EnergyHead.Count(f);
        }
    }

    /// <inheritdoc/>
    public override FlopCount Flops
    {
        get
        {
            double f = Features;
            // Contexts of messages and mixing, and three components of the vectors; a message is three filtered contexts, one for scalars, two for vectors.
            var interaction = new FlopCount((1 + 3) * f * f + (2 + 3) * f * f + 3 * 2 * f * f, RadialFunctions * 3 * f + 3 * f + f + 2 * 3 * f);
            return 2 * (Interactions * interaction + EnergyHead.Flops(f));
        }
    }

    public override string Title => nameof(PaiNN);

    public override ForceFieldConfig Shaped(int depth, int width) => this with { Interactions = depth, Features = width };

    public override ForceField Create(long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null) => new PaiNN(this, seed, dtype, device);

    public override void Validate(string place = "model")
    {
        base.Validate(place);
        AtLeast(2, Features, "features", place);
        AtLeast(1, Interactions, "interactions", place);
        if (!(NormEpsilon > 0)) throw new InputException($"{place}.normEpsilon", $"{NormEpsilon}", "a positive number");
    }
}

/// <summary>One layer of PaiNN: messages between atoms, then mixing of scalars and vectors within each atom.</summary>
internal sealed class PaiNNInteraction
{
    private readonly double epsilon;
    private readonly Dense messageContext1;
    private readonly Dense messageContext2;
    private readonly Dense vectorMix;
    private readonly Dense mixContext1;
    private readonly Dense mixContext2;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="config">Features and epsilon.</param>
    /// <param name="init">Makes the parameters.</param>
    public PaiNNInteraction(ModulePath at, PaiNNConfig config, ParameterInit init)
    {
        int features = config.Features;
        epsilon = config.NormEpsilon;
        messageContext1 = at.Add("message1", new Dense(features, features, init));
        messageContext2 = at.Add("message2", new Dense(features, 3 * features, init));
        vectorMix = at.Add("vector_mix", new Dense(features, 2 * features, init, bias: false));
        mixContext1 = at.Add("mix1", new Dense(2 * features, features, init));
        mixContext2 = at.Add("mix2", new Dense(features, 3 * features, init));
    }

    /// <param name="scalars">(atoms, F) q</param>
    /// <param name="vectors">(atoms, 3, F) mu; null: zero</param>
    /// <param name="pairs">The edges.</param>
    /// <param name="filter">(3 F, K + 1) this layer's rows of the filter network, weights and bias side by side</param>
    public (Tensor Scalars, Tensor Vectors) Forward(Tensor scalars, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor context = messageContext2.Forward(nn.functional.silu(messageContext1.Forward(scalars)));
        (Tensor dq, Tensor dmu) = PaiNNMessage.Apply(context, vectors, pairs, filter);
        Tensor q = scalars + dq, mu = vectors is null ? dmu : vectors + dmu;
        Tensor mixed = vectorMix.Forward(mu);
        (Tensor norm, Tensor product) = PaiNNInvariants.Apply(mixed, epsilon);
        Tensor mixContext = mixContext2.Forward(nn.functional.silu(mixContext1.Forward(cat([q, norm], 1))));
        (q, mu) = PaiNNUpdate.Apply(q, mu, mixContext, product, mixed);
        return (q.MoveToOuterDisposeScope(), mu.MoveToOuterDisposeScope());
    }

    /// <summary>In the order of <see cref="PaiNNEnergies"/>.</summary>
    public Tensor[] Weights =>
    [
        messageContext1.Weight, messageContext1.Bias!, messageContext2.Weight, messageContext2.Bias!, vectorMix.Weight,
        mixContext1.Weight, mixContext1.Bias!, mixContext2.Weight, mixContext2.Bias!,
    ];

    /// <summary>The layer's weights, with its rows of the filter network.</summary>
    public PaiNNLayerWeights ForceWeights(Tensor filter, Tensor filterBias) => new(filter, filterBias, messageContext1.Weight, messageContext1.Bias!, messageContext2.Weight,
        messageContext2.Bias!, vectorMix.Weight, mixContext1.Weight, mixContext1.Bias!, mixContext2.Weight, mixContext2.Bias!);

    /// <summary>The published implementation keeps messages and mixing apart.</summary>
    public IEnumerable<(string Name, Parameter Weight)> Named(string message, string mixing) =>
    [
        .. messageContext1.Named(message + ".interatomic_context_net.0"), .. messageContext2.Named(message + ".interatomic_context_net.1"),
        .. mixContext1.Named(mixing + ".intraatomic_context_net.0"), .. mixContext2.Named(mixing + ".intraatomic_context_net.1"),
        .. vectorMix.Named(mixing + ".mu_channel_mix"),
    ];
}
