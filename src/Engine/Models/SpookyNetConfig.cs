using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>Shape of a <see cref="SpookyNet"/>.</summary>
public sealed record SpookyNetConfig : ForceFieldConfig
{
    public SpookyNetConfig() => MaxAtomicNumber = ElectronConfiguration.MaxAtomicNumber;

    /// <summary>Features of an atom: F.</summary>
    public int Features { get; init; } = 128;

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
