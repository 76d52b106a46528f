using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>A force field that sees distances through a fixed radial basis and a cutoff function.</summary>
internal abstract class RadialForceField : ForceField
{
    private readonly RadialForceFieldConfig config;
    private readonly RadialBasis radialBasis;

    private protected RadialForceField(string name, RadialForceFieldConfig config, ScalarType dtype, Device? device)
        : base(name, config, dtype, device)
    {
        this.config = config;
        radialBasis = new RadialBasis(config, dtype, device);
        register_module("radial_basis", radialBasis);
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Tensor Values)> PublishedBuffers =>
        radialBasis.named_buffers().Select(b => ("representation.radial_basis." + b.name, b.buffer));

    /// <summary>Distances, directions, radial basis and cutoff function of the edges, in the current dispose scope.</summary>
    private protected EdgeFeatures Describe(EdgeList edges, Tensor edgeVectors) =>
        RadialBasisCutoff.Apply(edges, edgeVectors, Functions());

    /// <summary>The basis with the cutoff function, in the current dispose scope.</summary>
    private protected RadialFunctions Functions() => radialBasis.Functions(config);

    /// <summary>A batch as passes over a whole network take it; null: a frame is too large for them.</summary>
    private protected static EnergyGraph? Blocks(GraphBatch batch) =>
        FrameBlocks.Of(batch.AtomsPerFrame, batch.Edges.Pairs) is { } blocks ? new EnergyGraph(blocks, [.. batch.AtomicNumbers.data<long>()]) : null;
    /// <summary>What passes without a graph need of every such model, in the current dispose scope.</summary>
    private protected RadialForceWeights ForceWeights(Tensor elements, EnergyHead head) =>
        new(radialBasis.Functions(config), elements, head.Hidden.Weight, head.Hidden.Bias!, head.Energy.Weight, head.Energy.Bias!, ReferenceEnergies);
}

/// <summary>A force field that sees distances through a fixed radial basis and a cutoff function.</summary>
internal abstract record RadialForceFieldConfig : ForceFieldConfig
{
    public CutoffKind CutoffFunction { get; init; } = CutoffKind.Cosine;

    /// <summary>p of the polynomial cutoff.</summary>
    public int CutoffPower { get; init; } = 6;

    public RadialBasisKind RadialBasis { get; init; } = RadialBasisKind.Gaussian;

    /// <summary>Functions in the radial basis.</summary>
    public int RadialFunctions { get; init; } = 20;

    /// <inheritdoc/>
    public override void Validate(string place = "model")
    {
        base.Validate(place);
        AtLeast(2, CutoffPower, "cutoffPower", place);
        // A single Gaussian would have no spacing to be as wide as.
        AtLeast(RadialBasis == RadialBasisKind.Gaussian ? 2 : 1, RadialFunctions, "radialFunctions", place);
    }
}

/// <summary>The radial basis of a configuration. Its numbers are buffers: kept in checkpoints, not trained.</summary>
internal sealed class RadialBasis : nn.Module
{
    private readonly RadialBasisKind kind;
    private readonly Tensor centers;
    private readonly Tensor? widths;

    public RadialBasis(RadialForceFieldConfig config, ScalarType dtype, Device? device)
        : base(nameof(RadialBasis))
    {
        kind = config.RadialBasis;
        int count = config.RadialFunctions;
        double spacing = config.Cutoff / (count - 1);
        centers = Buffer(kind == RadialBasisKind.Gaussian ? "offsets" : "freqs",
            k => kind == RadialBasisKind.Gaussian ? k * spacing : (k + 1) * Math.PI / config.Cutoff);
        if (kind == RadialBasisKind.Gaussian) widths = Buffer("widths", _ => spacing);

        Tensor Buffer(string name, Func<int, double> value)
        {
            Tensor values = tensor(Enumerable.Range(0, count).Select(value).ToArray(), dtype: dtype, device: device).DetachFromDisposeScope();
            register_buffer(name, values);
            return values;
        }
    }

    /// <summary>The basis with the cutoff function of the same configuration, in the current dispose scope.</summary>
    public RadialFunctions Functions(RadialForceFieldConfig config)
    {
        int power = config.CutoffFunction == CutoffKind.Cosine ? 0 : config.CutoffPower;
        if (widths is null) return new RadialFunctions(centers, null, config.Cutoff, power);
        using DisposeScope scope = NewDisposeScope();
        return new RadialFunctions(centers, (-0.5 / (widths * widths)).MoveToOuterDisposeScope(), config.Cutoff, power);
    }
}

/// <summary>Functions a distance is expanded in.</summary>
internal enum RadialBasisKind
{
    /// <summary>Evenly spaced Gaussians from 0 to the cutoff, as wide as they are apart.</summary>
    Gaussian,

    /// <summary>sin(k pi d / cutoff) / d</summary>
    Bessel,
}

/// <summary>How interactions fade out at the cutoff.</summary>
internal enum CutoffKind
{
    /// <summary>(cos(pi d / cutoff) + 1) / 2: the slope is continuous.</summary>
    Cosine,

    /// <summary>A polynomial of degree p + 2: the curvature is continuous too.</summary>
    Polynomial,
}

/// <summary>An atom's energy from its features: W1 silu(W0 x + b0) + b1, half as wide within.</summary>
internal sealed class EnergyHead : nn.Module
{
    private readonly Dense hidden;
    private readonly Dense energy;

    public EnergyHead(int features, ParameterInit init)
        : base(nameof(EnergyHead))
    {
        hidden = new Dense(features, features / 2, init);
        energy = new Dense(features / 2, 1, init);
        register_module("hidden", hidden);
        register_module("energy", energy);
    }

    // Properties of their own: what an automatic one keeps its value in would be registered once more.
    public Dense Hidden => hidden;

    public Dense Energy => energy;

    public static long Count(long features) => Dense.Count(features, features / 2) + Dense.Count(features / 2, 1);

    /// <summary>Products, counting one each.</summary>
    public static FlopCount Flops(double features) => new((features + 1) * Math.Floor(features / 2), 0);

    /// <param name="features">(atoms, F)</param>
    /// <returns>(atoms)</returns>
    public Tensor Forward(Tensor features)
    {
        using DisposeScope scope = NewDisposeScope();
        return energy.Forward(nn.functional.silu(hidden.Forward(features))).squeeze(1).MoveToOuterDisposeScope();
    }

    public Tensor[] Weights => [Hidden.Weight, Hidden.Bias!, Energy.Weight, Energy.Bias!];

    public IEnumerable<(string Name, Parameter Weight)> Named(string name) =>
        hidden.Named(name + ".0").Concat(energy.Named(name + ".1"));
}
