using ChemScale.Engine.Models.Equivariant;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Operators.SpookyNet;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// SpookyNet (Unke et al. 2021): atoms know the total charge and spin of their frame, exchange messages of orders s, p, d with neighbours
/// and attend to all atoms; to the learned energy come repulsion of nuclei and electrostatics of learned charges. Without dispersion.
/// </summary>
internal sealed class SpookyNet : ForceField
{
    /// <summary>Decay of the radial basis at first: half an inverse bohr.</summary>
    private const double InitialDecay = 0.5 / 0.52917721067;

    private readonly NuclearEmbedding elements;
    private readonly ElectronicEmbedding charge;
    private readonly ElectronicEmbedding spin;
    private readonly SpookyNetInteraction[] interactions;
    private readonly Dense output;
    private readonly Parameter elementBias;
    private readonly Parameter decay;
    private readonly ZblRepulsion? repulsion;
    private readonly Tensor powers;
    private readonly Tensor logBinomials;
    private readonly SphericalHarmonics harmonics;

    /// <param name="config">Shape; validated.</param>
    /// <param name="seed">
    /// Initial weights: normal(0, 1) element table, Glorot's uniform matrices, zero biases; zero where a block starts as the identity and
    /// in the output layer.
    /// </param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">Where the weights live; null: the CPU.</param>
    public SpookyNet(SpookyNetConfig config, long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(nameof(SpookyNet), config, dtype, device)
    {
        Config = config;
        int features = config.Features;
        using var generator = new Generator((ulong)seed, device);
        var init = new ParameterInit(generator, 1, dtype, device);
        var at = new ModulePath(this);
        elements = new NuclearEmbedding(at.At("nuclear_embedding"), config.MaxAtomicNumber + 1, features, init, dtype, device);
        charge = new ElectronicEmbedding(at.At("charge_embedding"), features, isCharge: true, init);
        spin = new ElectronicEmbedding(at.At("magmom_embedding"), features, isCharge: false, init);
        decay = at.Add("radial_basis_functions._alpha", init.Constant(Math.Log(Math.Exp(InitialDecay) - 1), 1));
        interactions = [.. Enumerable.Range(0, config.Interactions).Select(t => new SpookyNetInteraction(at.At($"module.{t}"), config, init))];
        output = at.Add("output", new Dense(features, 2, init, bias: false));
        using (no_grad()) output.Weight.zero_();
        elementBias = at.Add("element_bias", init.Constant(0, config.MaxAtomicNumber + 1, 2));
        if (config.Repulsion) repulsion = new ZblRepulsion(at.At("zbl_repulsion_energy"), init);
        powers = tensor(ExponentialBernsteinBasis.Powers(config.RadialFunctions), dtype: dtype, device: device).DetachFromDisposeScope();
        logBinomials = tensor(ExponentialBernsteinBasis.LogBinomials(config.RadialFunctions), dtype: dtype, device: device).DetachFromDisposeScope();
        harmonics = new SphericalHarmonics(2, HarmonicScale.Unit, dtype, device);
    }

    public new SpookyNetConfig Config { get; }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Parameter Weight)> PublishedWeights =>
        named_parameters().Select(p => (p.name, p.parameter))
            .OrderBy(p => ReferenceEquals(p.parameter, elements.Table) ? 0 : ReferenceEquals(p.parameter, elementBias) ? 2 : 1);

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Tensor Values)> PublishedBuffers =>
        named_buffers().Where(b => b.name.EndsWith("omega", StringComparison.Ordinal)).Select(b => (b.name, b.buffer));

    /// <summary>(rows, 20)</summary>
    internal Tensor Electrons => elements.Electrons;

    /// <inheritdoc/>
    protected override Tensor AtomEnergies(GraphBatch batch, Tensor edgeVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor distances = EdgeDistances.Apply(edgeVectors);
        (Tensor energies, Tensor charges, SpookyNetEdges near) = Network(batch, edgeVectors, distances);
        if (repulsion is not null) energies = energies.index_add(0, near.Receivers, repulsion.Forward(batch.AtomicNumbers, near).squeeze(1), 1);
        if (Config.Electrostatics)
        {
            Tensor products = charges.index_select(0, batch.Edges.Receivers) * charges.index_select(0, batch.Edges.Senders);
            // The switch from shielded to plain interaction spans the middle half of the local cutoff.
            Tensor pairs = ShieldedCoulomb.Apply(distances, products.unsqueeze(1), Config.Cutoff / 4, 3 * Config.Cutoff / 4, Config.NeighborCutoff);
            energies = energies + ReceiverSum.Apply(pairs, batch.Edges).squeeze(1);
        }
        return energies.MoveToOuterDisposeScope();
    }

    /// <summary>(atoms) e: learned charges; a frame's add up to its total charge.</summary>
    internal Tensor Charges(GraphBatch batch)
    {
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = EdgeVectors.Apply(batch.Positions, batch.Edges, batch.ShiftVectors).to(elementBias.dtype);
        return Network(batch, vectors, EdgeDistances.Apply(vectors)).Charges.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    private protected override IForcePasses? MakePasses() => new SpookyNetForceWeights(Settings(), Inputs(null), ReferenceEnergies).Passes();

    /// <inheritdoc/>
    private protected override (Tensor Energies, Tensor ByVectors)? WithDerivative(GraphBatch batch, Tensor pairVectors)
    {
        SpookyNetSettings settings = Settings();
        Tensor?[] inputs = Inputs(pairVectors);
        if (!SpookyNetEnergies.Has(settings, inputs)) return null;
        return SpookyNetGraph.Of(batch.AtomsPerFrame, batch.Edges.Pairs, batch.AtomicNumbers, batch.Charges, batch.Spins) is { } graph
            ? SpookyNetEnergies.Apply(settings, Frames(batch), graph, inputs) : null;
    }

    /// <summary>What <see cref="SpookyNetEnergies"/> takes.</summary>
    internal (SpookyNetSettings Settings, SpookyNetFrames Frames, Tensor?[] Inputs) Passed(GraphBatch batch, Tensor pairVectors) =>
        (Settings(), Frames(batch), Inputs(pairVectors));

    private static SpookyNetFrames Frames(GraphBatch batch) =>
        new(batch.AtomsPerFrame, batch.Edges.Pairs, batch.AtomicNumbers, batch.FrameOfAtom, batch.Charges, batch.Spins);

    /// <summary>As <see cref="SpookyNetEnergies"/> has them.</summary>
    private Tensor?[] Inputs(Tensor? pairVectors) =>
    [
        pairVectors, elements.Electrons, .. interactions.Select(i => i.Directions), .. elements.Weights, .. charge.Weights, .. spin.Weights, decay,
        .. interactions.SelectMany(i => i.Weights), output.Weight, elementBias, .. repulsion?.Weights ?? [],
    ];

    private SpookyNetSettings Settings() => new(Config.Features, Config.Interactions, Config.RadialFunctions, Config.RandomFeatureCount, Config.Cutoff,
        Config.Electrostatics, Config.NeighborCutoff, repulsion is not null);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            elements.Dispose();
            powers.Dispose();
            logBinomials.Dispose();
            harmonics.Dispose();
        }
        base.Dispose(disposing);
    }

    private (Tensor Energies, Tensor Charges, SpookyNetEdges Near) Network(GraphBatch batch, Tensor edgeVectors, Tensor distances)
    {
        SpookyNetEdges near = Near(batch.Edges, edgeVectors, distances);
        Tensor frameOfAtom = batch.FrameOfAtom;
        using var slots = new FrameSlots(batch.AtomsPerFrame, distances.device);
        Tensor totalCharge = batch.Charges ?? zeros(batch.Frames, dtype: ScalarType.Float64, device: distances.device);
        Tensor totalSpin = batch.Spins ?? zeros_like(totalCharge);
        Tensor z = elements.Forward(batch.AtomicNumbers);
        Tensor x = z + charge.Forward(z, totalCharge, frameOfAtom) + spin.Forward(z, totalSpin, frameOfAtom);
        Tensor? sum = null;
        foreach (SpookyNetInteraction interaction in interactions)
        {
            (x, Tensor part) = interaction.Forward(x, near, frameOfAtom, slots);
            sum = sum is null ? part : sum + part;
        }
        Tensor both = output.Forward(sum!) + elementBias.index_select(0, batch.AtomicNumbers);
        Tensor charges = Conserve(both.select(1, 1), totalCharge.to(both.dtype), batch);
        return (both.select(1, 0), charges, near);
    }

    /// <summary>Spreads what is missing to the total charge evenly.</summary>
    private static Tensor Conserve(Tensor charges, Tensor totals, GraphBatch batch)
    {
        Tensor counts = tensor(batch.AtomsPerFrame.Select(n => Math.Max(1.0, n)).ToArray(), dtype: charges.dtype, device: charges.device);
        Tensor missing = (totals - zeros_like(totals).index_add(0, batch.FrameOfAtom, charges, 1)) / counts;
        return charges + missing.index_select(0, batch.FrameOfAtom);
    }

    private SpookyNetEdges Near(EdgeList edges, Tensor edgeVectors, Tensor distances)
    {
        Tensor senders = edges.Senders, receivers = edges.Receivers;
        if (Config.NeighborCutoff > Config.Cutoff)
        {
            Tensor kept;
            using (no_grad()) kept = distances.squeeze(1).lt(Config.Cutoff).nonzero().squeeze(1);
            senders = senders.index_select(0, kept);
            receivers = receivers.index_select(0, kept);
            edgeVectors = edgeVectors.index_select(0, kept);
            distances = distances.index_select(0, kept);
        }
        Tensor envelope = BumpCutoff.Apply(distances, Config.Cutoff);
        Tensor radial = ExponentialBernsteinBasis.Apply(distances, nn.functional.softplus(decay), powers, logBinomials) * envelope;
        return new SpookyNetEdges(senders, receivers, distances, envelope, radial, harmonics.Of(edgeVectors / distances));
    }

    /// <inheritdoc/>
    private protected override void Require(GraphBatch batch)
    {
        if (!Config.Electrostatics || double.IsFinite(Config.NeighborCutoff)) return;
        long pairs = batch.AtomsPerFrame.Sum(n => n * (n - 1L));
        if (batch.Edges.Count != pairs || batch.ShiftVectors is not null)
        {
            throw new InputException("frames", $"{batch.Edges.Count} edges, or images, where charges interact over every pair",
                $"the {pairs} ordered pairs of frames without periodicity", "set model.electrostaticCutoff for periodic frames");
        }
    }
}

/// <summary>Shape of a <see cref="SpookyNet"/>.</summary>
internal sealed record SpookyNetConfig : ForceFieldConfig
{
    public SpookyNetConfig() => MaxAtomicNumber = ElectronConfiguration.MaxAtomicNumber;

    /// <summary>Features of an atom: F.</summary>
    public int Features { get; init; } = 128;

    internal override bool ReadsCharge => true;

    /// <summary>Interaction modules.</summary>
    public int Interactions { get; init; } = 6;

    /// <summary>K exponential Bernstein functions.</summary>
    public int RadialFunctions { get; init; } = 16;

    /// <summary>m of the attention; 0: F.</summary>
    public int RandomFeatures { get; init; }

    /// <summary>Whether atoms carry charges, and those their energy: over every pair of a frame.</summary>
    public bool Electrostatics { get; init; } = true;

    /// <summary>A: where the energy of two charges ends; 0: nowhere. Periodic frames need one.</summary>
    public double ElectrostaticCutoff { get; init; }

    /// <summary>Whether nuclei repel each other at short range.</summary>
    public bool Repulsion { get; init; } = true;

    /// <inheritdoc/>
    public override double NeighborCutoff => !Electrostatics ? Cutoff : ElectrostaticCutoff > 0 ? ElectrostaticCutoff : double.PositiveInfinity;

    public override string Title => nameof(SpookyNet);

    public override ForceFieldConfig Shaped(int depth, int width) => this with { Interactions = depth, Features = width };

    public override ForceField Create(long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null) => new SpookyNet(this, seed, dtype, device);

    public override long Parameters => (MaxAtomicNumber + 1L) * Features + NonEmbeddingParameters;

    public override long NonEmbeddingParameters
    {
        get
        {
            long f = Features;
            long embedding = NuclearEmbedding.Count(0, f) + ElectronicEmbedding.Count(f, true) + ElectronicEmbedding.Count(f, false);
            long biases = 2 * (MaxAtomicNumber + 1L), decay = 1;
            return embedding + biases + decay + Interactions * SpookyNetInteraction.Count(f, RadialFunctions) + Dense.Count(f, 2, bias: false)
                + (Repulsion ? ZblRepulsion.Count : 0);
        }
    }

    /// <inheritdoc/>
    /// <remarks>The energy of charges, a few operations for every pair of a frame, is left out.</remarks>
    public override FlopCount Flops
    {
        get
        {
            double f = Features;
            var embedding = new FlopCount(2 * (f * f + 3 * f * f), 0);
            return 2 * (embedding + Interactions * SpookyNetInteraction.Flops(f, RadialFunctions, RandomFeatureCount) + new FlopCount(2 * f, 0));
        }
    }

    internal int RandomFeatureCount => RandomFeatures > 0 ? RandomFeatures : Features;

    public override void Validate(string place = "model")
    {
        base.Validate(place);
        AtLeast(1, Features, "features", place);
        AtLeast(1, Interactions, "interactions", place);
        AtLeast(1, RadialFunctions, "radialFunctions", place);
        AtLeast(0, RandomFeatures, "randomFeatures", place);
        if (MaxAtomicNumber > ElectronConfiguration.MaxAtomicNumber)
        {
            throw new InputException($"{place}.maxAtomicNumber", $"{MaxAtomicNumber}",
                $"at most {ElectronConfiguration.MaxAtomicNumber}: electron configurations end there");
        }
        if (ElectrostaticCutoff != 0 && !(ElectrostaticCutoff >= Cutoff && double.IsFinite(ElectrostaticCutoff)))
            throw new InputException($"{place}.electrostaticCutoff", $"{ElectrostaticCutoff}", $"0 (none) or at least the cutoff, {Cutoff} A");
    }
}

/// <summary>The edges within the cutoff of the local interactions.</summary>
/// <param name="Senders">(edges) int64</param>
/// <param name="Receivers">(edges) int64</param>
/// <param name="Distances">(edges, 1) A</param>
/// <param name="Envelope">(edges, 1) cutoff function</param>
/// <param name="Radial">(edges, K) radial basis, cutoff function included</param>
/// <param name="Harmonics">(edges, 9) orders 0, 1, 2 of the directions, each of norm 1</param>
internal readonly record struct SpookyNetEdges(
    Tensor Senders, Tensor Receivers, Tensor Distances, Tensor Envelope, Tensor Radial, Tensor Harmonics);
