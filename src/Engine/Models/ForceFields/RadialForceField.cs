using ChemScale.Engine.Operators;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>A force field that sees distances through a fixed radial basis and a cutoff function.</summary>
public abstract class RadialForceField : ForceField
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

    /// <summary>Distances, radial basis and cutoff function of the pairs, in the current dispose scope.</summary>
    private protected EdgeFeatures Describe(EdgeList edges, Tensor edgeVectors)
    {
        PairList pairs = edges.Pairs;
        Tensor vectors = pairs.TwoWay == 0 ? edgeVectors : edgeVectors.index_select(0, pairs.Edges);
        Tensor distances = EdgeDistances.Apply(vectors);
        Tensor envelope = config.CutoffFunction == CutoffKind.Cosine
            ? CosineCutoff.Apply(distances, config.Cutoff)
            : PolynomialCutoff.Apply(distances, config.Cutoff, config.CutoffPower);
        return new EdgeFeatures(pairs, vectors, distances, radialBasis.Forward(distances), envelope);
    }
}
