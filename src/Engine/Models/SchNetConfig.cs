using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>Shape of a <see cref="SchNet"/>.</summary>
public sealed record SchNetConfig : RadialForceFieldConfig
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
