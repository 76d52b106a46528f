using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>A force field under the trusted tests. A new model is a new line of <see cref="All"/>.</summary>
/// <param name="Name">Of the test case.</param>
/// <param name="Make">Makes one of a number type.</param>
/// <param name="Traits">What not every force field has.</param>
/// <param name="ElementRows">Rows of the first weight that belong to elements, where it is no table of them alone.</param>
public sealed record ForceFieldCase(string Name, Func<ScalarType, ForceField> Make, ForceFieldTraits Traits = ForceFieldTraits.Usual,
    int ElementRows = 0)
{
    public const double Cutoff = 4;

    // Where symmetry makes a vector vanish, the usual 1e-8 bends its norm within 1e-4: more than finite differences can follow.
    private const double RoundNorm = 1e-2;

    public static readonly ForceFieldCase[] All =
    [
        new("SchNet", t => new SchNet(new SchNetConfig { Features = 16, Filters = 12, Cutoff = Cutoff, RadialFunctions = 8, MaxAtomicNumber = 10 }, 1, t)),
        new("SchNet with Bessel functions and a polynomial", t => new SchNet(new SchNetConfig
        {
            Features = 16, Interactions = 2, Cutoff = Cutoff, RadialBasis = RadialBasisKind.Bessel, CutoffFunction = CutoffKind.Polynomial,
        }, 2, t)),
        new("PaiNN", t => new PaiNN(new PaiNNConfig { Features = 12, Cutoff = Cutoff, RadialFunctions = 8, MaxAtomicNumber = 10, NormEpsilon = RoundNorm }, 3, t)),
        new("PaiNN with Bessel functions and a polynomial", t => new PaiNN(new PaiNNConfig
        {
            Features = 12, Interactions = 2, Cutoff = Cutoff, RadialBasis = RadialBasisKind.Bessel, CutoffFunction = CutoffKind.Polynomial,
            NormEpsilon = RoundNorm,
        }, 4, t)),
        new("SpookyNet", t => new SpookyNet(new SpookyNetConfig { Features = 8, Interactions = 2, Cutoff = Cutoff, RadialFunctions = 6, ElectrostaticCutoff = Cutoff },
            5, t), ForceFieldTraits.Usual & ~ForceFieldTraits.Local),
        new("SpookyNet without electrostatics and repulsion", t => new SpookyNet(new SpookyNetConfig
        {
            Features = 8, Interactions = 1, Cutoff = Cutoff, RadialFunctions = 6, RandomFeatures = 12, Electrostatics = false, Repulsion = false,
            MaxAtomicNumber = 10,
        }, 6, t), ForceFieldTraits.Usual & ~ForceFieldTraits.Local),
        new("Allegro", t => new Allegro(new AllegroConfig
        {
            Features = 4, Cutoff = Cutoff, RadialFunctions = 6, TwoBodyWidths = "8, 12", LatentWidths = "10, 12", EnergyWidths = "6",
            AverageNeighbors = 8,
        }, 7, t), ForceFieldTraits.Local, ElementRows: 8),
        new("Allegro of order 1 with 3 layers", t => new Allegro(new AllegroConfig
        {
            LMax = 1, Layers = 3, Features = 3, Cutoff = Cutoff, RadialFunctions = 5, TwoBodyWidths = "8", LatentWidths = "8",
            EnergyWidths = "", Elements = "O, C, Cl, H, N", MaxAtomicNumber = 20,
        }, 8, t), ForceFieldTraits.Local, ElementRows: 10),
    ];

    public static IEnumerable<TestCaseData> Double => All.Select(c => new TestCaseData(c).SetArgDisplayNames(c.Name));

    /// <summary>Each in both number types, with the tolerance of that type.</summary>
    public static IEnumerable<TestCaseData> Both =>
        from c in All
        from t in (ScalarType[])[ScalarType.Float64, ScalarType.Float32]
        select new TestCaseData(c, t, t == ScalarType.Float64 ? 1e-10 : 1e-4).SetArgDisplayNames(c.Name, t.ToString());

    /// <summary>The model with no bias and no tensor at zero, so that nothing vanishes by accident.</summary>
    public ForceField Model(ScalarType dtype = ScalarType.Float64)
    {
        ForceField model = Make(dtype);
        using var gradients = no_grad();
        using var generator = new Generator(9);
        foreach ((string name, var weight) in model.PublishedWeights)
        {
            if (!name.EndsWith(".bias", StringComparison.Ordinal) && weight.count_nonzero().item<long>() > 0) continue;
            // Drawn in float64 so that both types get the same model.
            using Tensor noise = randn(weight.shape, dtype: ScalarType.Float64, generator: generator) * 0.1;
            weight.add_(noise.to(dtype));
        }
        model.ReferenceEnergies.copy_(linspace(0, -1, model.ReferenceEnergies.size(0), dtype: ScalarType.Float64));
        return model;
    }

    public override string ToString() => Name;
}
