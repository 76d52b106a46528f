using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
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

    /// <summary>Distances, directions, radial basis and cutoff function of the edges, in the current dispose scope.</summary>
    private protected EdgeFeatures Describe(EdgeList edges, Tensor edgeVectors) =>
        RadialBasisCutoff.Apply(edges, edgeVectors, radialBasis.Functions(config));
}
