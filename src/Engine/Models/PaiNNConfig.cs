using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>Shape of a <see cref="PaiNN"/>.</summary>
public sealed record PaiNNConfig : RadialForceFieldConfig
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
