using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

public class AllegroTests
{
    private static readonly AllegroConfig Small = new()
    {
        Features = 3,
        Cutoff = 4,
        RadialFunctions = 5,
        TwoBodyWidths = "6, 7",
        LatentWidths = "9, 7",
        EnergyWidths = "4",
        AverageNeighbors = 6,
    };

    [TestCase(0, 2, "0e|0e|0e")]
    [TestCase(1, 1, "0e 1o|0e")]
    [TestCase(1, 3, "0e 1o|0e 1e 1o|0e 1o|0e")]
    [TestCase(2, 2, "0e 1o 2e|0e 1o 2e|0e")]
    [TestCase(2, 3, "0e 1o 2e|0e 1e 1o 2e 2o|0e 1o 2e|0e")]
    [TestCase(3, 2, "0e 1o 2e 3o|0e 1o 2e 3o|0e")]
    [TestCase(2, 4, "0e 1o 2e|0e 1e 1o 2e 2o|0e 1e 1o 2e 2o|0e 1o 2e|0e")]
    public void Any_number_of_orders_and_layers_agrees_with_the_formulas_written_out(int order, int layers, string kept)
    {
        using DisposeScope scope = NewDisposeScope();
        AllegroConfig config = Small with { LMax = order, Layers = layers };
        AllegroPaths[] plan = AllegroPaths.Plan(order, layers);
        string[] planned = [.. plan.Select(p => p.Features).Append(plan[^1].Outputs).Select(irreps => string.Join(' ', irreps))];
        Assert.That(string.Join('|', planned), Is.EqualTo(kept));

        using var model = new Allegro(config, 5, ScalarType.Float64);
        using (no_grad()) model.PublishedBuffers.Single(b => b.Name == "latent_resnet_update_params").Values.copy_(linspace(-1, 1, layers));
        var tensors = model.PublishedWeights.Select(w => (w.Name, Values: (Tensor)w.Weight)).Concat(model.PublishedBuffers)
            .ToDictionary(w => w.Name, w => w.Values);
        using GraphBatch batch = TestFrame.Batch(config.Cutoff, TestFrame.Molecule(6, 1), TestFrame.Crystal(2, 2));
        ForceFieldOutput output = model.Evaluate(batch);
        Tensor positions = batch.Positions.detach().requires_grad_();
        Tensor energies = new AllegroFormula(config, kept.Split('|'), tensors).AtomEnergies(batch, positions);
        Tensor forces = Gradients.Of([energies.sum()], [positions])[0].neg();
        Same(output.Energies, stack([energies.narrow(0, 0, 6).sum(), energies.narrow(0, 6, 2).sum()]));
        Same(output.Forces!, forces);

        static void Same(Tensor actual, Tensor expected) => Expect.Close(actual, expected, absolute: 1e-12, ofLargest: 1e-12);
    }

    [TestCase(1, 3, new[] { 5, 5, 2 })]
    [TestCase(2, 2, new[] { 11, 3 })]
    public void Paths_are_as_many_as_published(int order, int layers, int[] expected) =>
        Assert.That(AllegroPaths.Plan(order, layers).Select(p => p.Total), Is.EqualTo(expected));

    [Test]
    public void An_atom_knows_nothing_of_what_its_neighbours_see_beyond_its_own_cutoff()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable gradients = no_grad();
        using var model = new Allegro(Small with { Layers = 3 }, 1, ScalarType.Float64);
        double[] near = AtomEnergies(7), far = AtomEnergies(7.5);
        Assert.That(near[0], Is.EqualTo(far[0]));
        Expect.Apart(near[1], far[1], by: 1e-6);

        // A chain: the first and the last atom both reach the second, not each other.
        double[] AtomEnergies(double last)
        {
            using GraphBatch batch = TestFrame.Batch(4, new TestFrame([6, 8, 1, 7], [[0, 0, 0], [3.6, 0.3, 0], [1, 1, 1], [last, 0, 0.5]]));
            AllegroEdges edges = model.Describe(batch.Edges, EdgeVectors.Apply(batch.Positions, batch.Edges, null));
            return [.. model.SumOverNeighbors(model.EdgeEnergies(model.Latents(edges, batch.AtomicNumbers)), batch.Edges).data<double>()];
        }
    }

    [Test]
    public void An_element_that_is_not_listed_is_refused_by_name()
    {
        using var model = new Allegro(Small);
        using GraphBatch batch = TestFrame.Batch(4, new TestFrame([1, 9], [[0, 0, 0], [0, 0, 1]]));
        Assert.That(() => model.Evaluate(batch), Throws.TypeOf<InputException>()
            .With.Message.EqualTo("frames: element F (atomic number 9); expected one of H, C, N, O. HINT: add it to model.elements"));
    }

    [Test]
    public void Keys_that_describe_no_model_are_refused()
    {
        Refused(Small with { Elements = "H, Q" }, "model.elements: unknown element 'Q'");
        Refused(Small with { Elements = "H, C, H" }, "each element once");
        Refused(Small with { Elements = " " }, "no element");
        Refused(Small with { Elements = "H, Br", MaxAtomicNumber = 20 }, "Br (atomic number 35); expected at most 20");
        Refused(Small with { LMax = 4 }, "model.lMax: 4; expected 0 to 3");
        Refused(Small with { Layers = 0 }, "model.layers");
        Refused(Small with { TwoBodyWidths = "8, x" }, "model.twoBodyWidths: '8, x'");
        Refused(Small with { TwoBodyWidths = "" }, "positive whole numbers");
        Refused(Small with { LatentWidths = "8" }, "7 at the end");
        Refused(Small with { EnergyWidths = "0" }, "model.energyWidths");
        Refused(Small with { AverageNeighbors = 0 }, "model.averageNeighbors");

        static void Refused(AllegroConfig config, string message) =>
            Assert.That(() => config.Validate(), Throws.TypeOf<InputException>().With.Message.Contains(message));
    }

    [Test]
    public void An_energy_map_without_hidden_widths_is_one_matrix()
    {
        AllegroConfig config = Small with { EnergyWidths = "" };
        using var model = new Allegro(config);
        Assert.That(model.PublishedWeights.Count(w => w.Name.StartsWith("func.edge_eng", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(model.ParameterCount, Is.EqualTo(config.Parameters));
    }

    [Test]
    public void An_experiment_file_holds_every_key()
    {
        AllegroConfig config = Small with { Elements = "O, H, Cl", EnergyWidths = "" };
        Experiment experiment = Experiment.Parse("""
            model: {family: allegro, elements: "O, H, Cl", features: 3, cutoff: 4, radialFunctions: 5, twoBodyWidths: "6, 7",
              latentWidths: "9, 7", energyWidths: "", averageNeighbors: 6}
            training: {epochs: 1}
            """, "a.yaml");
        Assert.That(experiment.Model.Config, Is.EqualTo(config));
        Assert.That(Experiment.Parse(experiment.ToYaml(), "b.yaml"), Is.EqualTo(experiment));
    }

    [Test]
    public void A_checkpoint_has_each_tensor_once_under_its_published_name()
    {
        using var model = new Allegro(Small);
        IEnumerable<string> published = model.PublishedWeights.Select(w => w.Name).Concat(model.PublishedBuffers.Select(b => b.Name));
        Assert.That(model.state_dict().Keys, Is.EquivalentTo(published.Append("reference_energies")));
    }

    [Test]
    public void The_same_seed_gives_the_same_weights()
    {
        using DisposeScope scope = NewDisposeScope();
        using Allegro one = new(Small, 3), same = new(Small, 3), other = new(Small, 4);
        (Tensor a, Tensor b, Tensor c) = (All(one), All(same), All(other));
        Expect.Close(a, b);
        Assert.That(a.eq(c).all().item<bool>(), Is.False);

        static Tensor All(Allegro model) => cat([.. model.PublishedWeights.Select(w => w.Weight.flatten())]);
    }

    [Test]
    public void The_gain_of_the_activation_is_the_exact_one_within_sampling_error()
    {
        using var model = new Allegro(Small, dtype: ScalarType.Float64);
        double sampled = model.PublishedBuffers.Single(b => b.Name == "silu_cst").Values.item<double>();
        const double Step = 0.01;
        double square = Enumerable.Range(-1200, 2401).Select(i => i * Step)
            .Sum(z => Step * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) * Math.Pow(z / (1 + Math.Exp(-z)), 2));
        Expect.Close(sampled, 1 / Math.Sqrt(square), relative: 0.003);
    }
}
