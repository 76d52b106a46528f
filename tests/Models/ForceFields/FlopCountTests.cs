using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>The counts beside the matrices of models that were made: how often each of them meets a row of an atom, or of an edge.</summary>
[Parallelizable]
public class FlopCountTests
{
    [Test]
    public void SchNet_counts_what_its_matrices_do()
    {
        var config = new SchNetConfig { Features = 10, Filters = 6, Interactions = 2, RadialFunctions = 5 };
        FlopCount matrices = Matrices(config, (name, _) => name.Contains("filter", StringComparison.Ordinal) ? (0, 1) : (1, 0));
        Assert.That(config.Flops, Is.EqualTo(matrices + new FlopCount(0, 2 * 2 * 6)), "a message is a product and a sum of each filter");
    }

    [Test]
    public void PaiNN_counts_what_its_matrices_do()
    {
        var config = new PaiNNConfig { Features = 8, Interactions = 3, RadialFunctions = 7 };
        FlopCount matrices = Matrices(config, (name, _) =>
            name.StartsWith("filters", StringComparison.Ordinal) ? (0, 1) : name.Contains("vector_mix", StringComparison.Ordinal) ? (3, 0) : (1, 0));
        Assert.That(config.Flops, Is.EqualTo(matrices + new FlopCount(0, 3 * 2 * 10 * 8)), "three filtered contexts, a sum of scalars, two of vectors");
    }

    [Test]
    public void SpookyNet_counts_what_its_matrices_do()
    {
        var config = new SpookyNetConfig { Features = 6, Interactions = 2, RadialFunctions = 4, RandomFeatures = 5, Repulsion = false };
        FlopCount matrices = Matrices(config, (name, shape) =>
            name.Contains("radial_", StringComparison.Ordinal) ? (0, 1)
            : name.Contains("projection_p", StringComparison.Ordinal) ? (3, 0)
            : name.Contains("projection_d", StringComparison.Ordinal) ? (5, 0)
            // Once for each element or frame, not for each atom.
            : name.Contains("config_linear", StringComparison.Ordinal) || name.Contains("linear_k", StringComparison.Ordinal)
                || name.Contains("linear_v", StringComparison.Ordinal) ? (0, 0)
            : name.Contains("element_bias", StringComparison.Ordinal) ? (0, 0)
            : (1, 0));
        Assert.That(config.Flops, Is.EqualTo(matrices + 2 * 2 * new FlopCount(4 * 5 * 6, (3 + 9) * 6)), "attention's random features; filters and messages of orders s, p, d");
    }

    [Test]
    public void Allegro_counts_what_its_matrices_do([Values(0, 1, 2)] int lMax)
    {
        var config = new AllegroConfig { LMax = lMax, Features = 4, RadialFunctions = 5, TwoBodyWidths = "6, 7", LatentWidths = "7", EnergyWidths = "3", Layers = 2 };
        int harmonics = (lMax + 1) * (lMax + 1);
        AllegroPaths[] paths = AllegroPaths.Plan(lMax, 2);
        double mixing = paths[0].Outputs.Zip(paths[0].Counts, (o, n) => o.Components * n * 4.0 * 4.0).Sum();
        FlopCount matrices = Matrices(config, (name, shape) =>
            // The energy's matrices are one row; mixing has a matrix of its own for each component; the first matrix has rows of elements, which are looked up.
            name.Contains("edge_eng", StringComparison.Ordinal) || name.Contains("linears", StringComparison.Ordinal) ? (0, 0) : (0, 1));
        double elementRows = 2 * config.Elements.Split(',').Length * 6, terms = 2 * 4 * paths.Sum(p => p.TermCount);
        double perPair = mixing - elementRows + terms + 7 + 3 * harmonics * 4;
        Expect.Close(config.Flops.PerPair, matrices.PerPair + 2 * perPair, relative: 1e-12);
        Assert.That(config.Flops.PerAtom, Is.Zero, "all of it is of edges");
    }

    [Test]
    public void Every_force_field_has_a_count_that_grows_with_its_size()
    {
        foreach (ModelFamily family in ModelFamily.All.Where(f => f.ConfigType.IsSubclassOf(typeof(ForceFieldConfig))))
        {
            object config = family.Defaults.Model.Config;
            var small = ((ForceFieldConfig)family.Shaped(config, new ModelShape(1, 16))).Flops;
            var large = ((ForceFieldConfig)family.Shaped(config, new ModelShape(2, 32))).Flops;
            Expect.Above(large.Of(9, 72), 4 * small.Of(9, 72), family.Name);
        }
    }

    /// <summary>Two for each number of a matrix and each row it meets.</summary>
    private static FlopCount Matrices(ForceFieldConfig config, Func<string, long[], (double Atoms, double Pairs)> rows)
    {
        using ForceField model = config.Create();
        FlopCount sum = default;
        foreach ((string name, TorchSharp.Modules.Parameter weight) in model.named_parameters())
        {
            long[] shape = weight.shape;
            if (shape.Length != 2 || name.EndsWith("embedding", StringComparison.Ordinal)) continue;
            (double atoms, double pairs) = rows(name, shape);
            sum += 2.0 * shape[0] * shape[1] * new FlopCount(atoms, pairs);
        }
        return sum;
    }
}
