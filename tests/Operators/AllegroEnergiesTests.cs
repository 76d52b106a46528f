using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Allegro;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>Allegro as one pass over the whole network, with forces and their derivative by weights, against library operations.</summary>
public class AllegroEnergiesTests : OperatorFixture
{
    // Several blocks, a crystal whose atoms neighbour themselves, a single atom, two that are out of reach.
    private static readonly TestFrame[] Frames =
    [
        TestFrame.Molecule(16, 1, 2.4), TestFrame.Molecule(1, 4), TestFrame.Crystal(3, 2), new TestFrame([1, 8], [[0, 0, 0], [0, 0, 9]]), TestFrame.Molecule(9, 3),
    ];

    private static readonly AllegroConfig Whole = new()
    {
        Features = 8,
        RadialFunctions = 5,
        TwoBodyWidths = "8, 16",
        LatentWidths = "16",
        EnergyWidths = "8",
        Cutoff = 4,
        AverageNeighbors = 6,
    };

    // Widths that are no whole vectors; perceptrons with no hidden layer, with one and with two; each order; one layer and three.
    private static readonly AllegroConfig[] Configs =
    [
        Whole,
        Whole with { LMax = 1, Layers = 3, Features = 3, TwoBodyWidths = "6, 5, 7", LatentWidths = "9, 7", EnergyWidths = "4, 3", CutoffPower = 2 },
        Whole with { LMax = 3, Features = 5, TwoBodyWidths = "7", LatentWidths = "6, 9, 7", EnergyWidths = "" },
        Whole with { LMax = 0, Layers = 1, Features = 2, RadialFunctions = 1, TwoBodyWidths = "3, 4", LatentWidths = "4" },
        Whole with { Layers = 1, Features = 16, LatentWidths = "8, 16" },
    ];

    [Test]
    public void A_training_step_is_that_of_library_operations(
        [ValueSource(nameof(Configs))] ForceFieldConfig config, [Values] bool twoWay, [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType type)
    {
        Same(Step(OperatorMode.Auto, config, type, twoWay), Step(OperatorMode.Composed, config, type, twoWay), type == ScalarType.Float64 ? 1e-11 : 1e-4);
    }

    [TestCase(1, 0, 0)]
    [TestCase(0, 1, 0)]
    [TestCase(0, 0, 1)]
    public void Energies_forces_or_stress_alone_are_trained_on(double energy, double force, double stress)
    {
        var loss = (energy, force, stress);
        foreach (AllegroConfig config in Configs[..2])
            Same(Step(OperatorMode.Auto, config, ScalarType.Float64, true, loss), Step(OperatorMode.Composed, config, ScalarType.Float64, true, loss), 1e-11);
    }

    [Test]
    public void Every_derivative_by_weights_matches_finite_differences([Values(1, 2, 3)] int order)
    {
        using Problem problem = new(order);
        Operation operation = problem.Operation(OperatorMode.Host);
        operation.MatchesFiniteDifferences();
        operation.TakesStridedTensors();
        operation.RepeatsItself(second: false);
    }

    [Test]
    public void Derivatives_of_derivatives_are_those_of_the_composed_form()
    {
        using Problem problem = new(2);
        Tensor[] found = Second(OperatorMode.Host), expected = Second(OperatorMode.Composed);
        for (int i = 0; i < found.Length; i++) Expect.Close(found[i], expected[i], absolute: 1e-10, relative: 1e-9, message: $"input {i}");
        Expect.AtLeast(found.Count(t => t.count_nonzero().item<long>() > 0), found.Length);

        Tensor[] Second(OperatorMode mode)
        {
            Operation operation = problem.Operation(mode);
            Tensor[] leaves = [.. operation.At.Select(t => t.detach().requires_grad_())], outputs = operation.Apply(leaves);
            IList<Tensor> first = Gradients.Of([.. outputs], leaves, [.. outputs.Select((t, i) => Operation.Normal(t, 5 + i))], retainGraph: true, createGraph: true);
            Tensor sum = first.Select((g, i) => (g * Operation.Normal(g, 20 + i)).sum()).Aggregate((a, b) => a + b);
            return [.. Gradients.Of([sum], leaves, allowUnused: true).Select((t, i) => t is { IsInvalid: false } ? t : zeros_like(leaves[i]))];
        }
    }

    [Test]
    public void Its_composed_form_is_the_model_s([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        TestScope.Mode(OperatorMode.Composed);
        using var model = (Allegro)config.Create(3, ScalarType.Float64);
        using GraphBatch batch = TestFrame.Batch(4, Frames);
        Tensor vectors = EdgeVectors(batch);
        (AllegroSettings settings, AllegroAtoms atoms, Tensor?[] inputs) = model.Passed(batch, vectors);
        Tensor?[] found = AllegroEnergiesComposed.Apply(settings, batch.Edges, atoms, inputs);
        AllegroEdges edges = model.Describe(batch.Edges, vectors);
        Tensor expected = model.SumOverNeighbors(model.EdgeEnergies(model.Latents(edges, batch.AtomicNumbers)), batch.Edges);
        Expect.Close(found[0]!, expected, absolute: 1e-12, ofLargest: 1e-12);
    }

    [Test, NonParallelizable]
    public void The_number_of_threads_changes_no_bit([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        int before = get_num_threads();
        try
        {
            set_num_threads(1);
            (string Name, double[] Values)[] alone = Step(OperatorMode.Auto, config, ScalarType.Float32, true);
            set_num_threads(2);
            for (int repeat = 0; repeat < 2; repeat++)
            {
                (string Name, double[] Values)[] together = Step(OperatorMode.Auto, config, ScalarType.Float32, true);
                for (int i = 0; i < alone.Length; i++) Assert.That(together[i].Values, Is.EqualTo(alone[i].Values), alone[i].Name);
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Test]
    public void Frozen_weights_get_no_gradient_and_the_others_theirs()
    {
        (string Name, double[] Values)[] all = Step(OperatorMode.Auto, Configs[1], ScalarType.Float64, true);
        (string Name, double[] Values)[] half = Step(OperatorMode.Auto, Configs[1], ScalarType.Float64, true, freeze: true);
        Assert.That(half.Length < all.Length);
        foreach ((string name, double[] values) in half) Assert.That(values, Is.EqualTo(all.Single(a => a.Name == name).Values), name);
    }

    [Test]
    public void Gradients_are_put_where_a_trainer_keeps_them_and_added_up()
    {
        using ForceField model = Configs[1].Create(3, ScalarType.Float64);
        using GraphBatch batch = TestFrame.Batch(4, Frames);
        Gradients.Backward(Loss(model.Evaluate(batch, stress: true, createGraph: true), (1, 1, 1)));
        double[][] left = [.. model.parameters().Select(p => p.grad!.data<double>().ToArray())];
        using var flat = new FlatParameters([.. model.parameters()]);
        flat.Clear();
        for (int micro = 0; micro < 2; micro++) flat.Backward(Loss(model.Evaluate(batch, stress: true, createGraph: true), (1, 1, 1)));
        Assert.That(model.parameters().All(p => p.grad is null));
        flat.Collect();
        for (int i = 0; i < left.Length; i++)
            Expect.Close(Numbers(flat.Gradient(i)), [.. left[i].Select(g => 2 * g)], absolute: 1e-12 * (1 + left[i].Max(Math.Abs)), message: $"parameter {i}");
    }

    [Test]
    public void Blocks_hold_whole_receivers_and_stay_within_bounds()
    {
        int[] starts = [0, 50, 50, 90, 100, 300, 310, 320];
        var graph = new AllegroGraph(starts, new int[320], new int[7], [2, 6, 7]);
        Assert.That(graph.Blocks, Is.EqualTo((ReceiverBlock[])[new(0, 2, 0, 50), new(2, 2, 50, 50), new(4, 1, 100, 200), new(5, 1, 300, 10), new(6, 1, 310, 10)]));
        Assert.That(new AllegroGraph([0, 0, 0], [], new int[2], [2]).Blocks, Is.Empty);
    }

    private static void Same((string Name, double[] Values)[] found, (string Name, double[] Values)[] expected, double tolerance)
    {
        Assert.That(found.Length, Is.EqualTo(expected.Length));
        for (int i = 0; i < expected.Length; i++)
            Expect.Close(found[i].Values, expected[i].Values, absolute: tolerance * (1e-3 + expected[i].Values.Max(Math.Abs)), message: expected[i].Name);
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);
    }

    private static Tensor EdgeVectors(GraphBatch batch) =>
        Engine.Operators.Radial.EdgeVectors.Apply(batch.Positions, batch.Edges, batch.ShiftVectors);

    private static Tensor Loss(ForceFieldOutput output, (double Energy, double Force, double Stress) weights)
    {
        Tensor loss = zeros([], dtype: ScalarType.Float64);
        if (weights.Energy > 0) loss = loss + output.Energies.square().sum() * weights.Energy;
        if (weights.Force > 0) loss = loss + output.Forces!.square().sum() * weights.Force;
        return weights.Stress > 0 ? loss + output.Stress!.square().sum() * weights.Stress : loss;
    }

    private static (string Name, double[] Values)[] Step(OperatorMode mode, ForceFieldConfig config, ScalarType type, bool twoWay,
        (double Energy, double Force, double Stress)? weights = null, bool freeze = false)
    {
        TestScope.Mode(mode);
        using DisposeScope scope = NewDisposeScope();
        using ForceField model = config.Create(3, type);
        using GraphBatch batch = TestFrame.Batch(4, twoWay, Frames);
        int n = 0;
        foreach (var weight in model.parameters()) weight.requires_grad = !freeze || n++ % 2 == 0;
        ForceFieldOutput output = model.Evaluate(batch, stress: true, createGraph: true);
        Gradients.Backward(Loss(output, weights ?? (1, 1, 1)));
        return
        [
            ("energies", Numbers(output.Energies)), ("forces", Numbers(output.Forces!)), ("stress", Numbers(output.Stress!)),
            .. model.named_parameters().Where(p => p.parameter.grad is not null).Select(p => (p.name, Numbers(p.parameter.grad!))),
        ];
    }

    private static double[] Numbers(Tensor values) => values.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray();

    /// <summary>A whole network on a few atoms, as an operation on its weights.</summary>
    private sealed class Problem : IDisposable
    {
        private readonly Allegro model;
        private readonly GraphBatch batch = TestFrame.Batch(4, TestFrame.Molecule(4, 6, 1.5));

        public Problem(int order)
        {
            AllegroConfig config = Whole with { LMax = order, Features = 2, RadialFunctions = 3, TwoBodyWidths = "3, 4", LatentWidths = "5, 4", EnergyWidths = "3" };
            model = new Allegro(config, 8, ScalarType.Float64);
        }

        public Operation Operation(OperatorMode mode)
        {
            TestScope.Mode(mode);
            (AllegroSettings settings, AllegroAtoms atoms, Tensor?[] inputs) = model.Passed(batch, EdgeVectors(batch));
            Tensor[] weights = [.. inputs[AllegroSettings.Fixed..].Select(w => w!.detach())];
            return new Operation([.. weights.Select((_, i) => $"weight {i}")], weights, all =>
            {
                Tensor?[] given = [.. inputs[..AllegroSettings.Fixed], .. all];
                if (mode == OperatorMode.Composed) return [.. AllegroEnergiesComposed.Apply(settings, batch.Edges, atoms, given)!];
                Assert.That(AllegroEnergies.Has(given));
                (Tensor energies, Tensor by) = AllegroEnergies.Apply(settings, batch.Edges, atoms, given);
                return [energies, by];
            });
        }

        public void Dispose()
        {
            model.Dispose();
            batch.Dispose();
        }
    }
}
