using ChemScale.Engine.Operators.Radial;
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

    /// <summary>The basis with the cutoff function of the same configuration, in the current dispose scope.</summary>
    public RadialFunctions Functions(RadialForceFieldConfig config)
    {
        int power = config.CutoffFunction == CutoffKind.Cosine ? 0 : config.CutoffPower;
        if (widths is null) return new RadialFunctions(centers, null, config.Cutoff, power);
        using DisposeScope scope = NewDisposeScope();
        return new RadialFunctions(centers, (-0.5 / (widths * widths)).MoveToOuterDisposeScope(), config.Cutoff, power);
    }
}
