using ChemScale.Engine.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

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

    /// <param name="distances">(edges, 1) A</param>
    /// <returns>(edges, K)</returns>
    public Tensor Forward(Tensor distances)
    {
        if (widths is null) return BesselBasis.Apply(distances, centers);
        using DisposeScope scope = NewDisposeScope();
        return GaussianBasis.Apply(distances, centers, -0.5 / (widths * widths)).MoveToOuterDisposeScope();
    }
}
