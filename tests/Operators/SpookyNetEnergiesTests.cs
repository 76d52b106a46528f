using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SpookyNet;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>SpookyNet as one pass over the whole network, with forces and their derivative by weights, against library operations.</summary>
public class SpookyNetEnergiesTests : OperatorFixture
{
    // Several blocks, a single atom, two that are out of each other's reach, charges and spins of either sign.
    private static readonly TestFrame[] Molecules =
    [
        TestFrame.Molecule(30, 1, 2.6), TestFrame.Molecule(1, 4) with { Charge = 1 }, TestFrame.Molecule(30, 2, 2.6) with { Charge = -2, Spin = 1 },
        new TestFrame([1, 8], [[0, 0, 0], [0, 0, 9]]), TestFrame.Molecule(7, 3) with { Charge = 1 }, TestFrame.Molecule(5, 5) with { Spin = -2 },
    ];

    private static readonly SpookyNetConfig Whole =
        new() { Features = 8, Interactions = 2, RadialFunctions = 5, Cutoff = 4, ElectrostaticCutoff = 4, MaxAtomicNumber = 10 };

    // Widths that are no whole vectors, other numbers of random features; charges within a cutoff, over all pairs, none; one module and three.
    private static readonly SpookyNetConfig[] Configs =
    [
        Whole,
        Whole with { Features = 16, RandomFeatures = 24, ElectrostaticCutoff = 6, RadialFunctions = 16 },
        Whole with { Features = 5, RandomFeatures = 7, Interactions = 1, Electrostatics = false, Repulsion = false, ElectrostaticCutoff = 0 },
        Whole with { Features = 12, RandomFeatures = 3, Interactions = 3, ElectrostaticCutoff = 0 },
    ];

    [Test]
    public void A_training_step_is_that_of_library_operations(
        [ValueSource(nameof(Configs))] ForceFieldConfig config, [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType type)
    {
        Same(Step(OperatorMode.Auto, config, type), Step(OperatorMode.Composed, config, type), type == ScalarType.Float64 ? 1e-11 : 1e-4);
    }

    [TestCase(1, 0, 0)]
    [TestCase(0, 1, 0)]
    [TestCase(0, 0, 1)]
    public void Energies_forces_or_stress_alone_are_trained_on(double energy, double force, double stress)
    {
        var loss = (energy, force, stress);
        Same(Step(OperatorMode.Auto, Whole, ScalarType.Float64, loss), Step(OperatorMode.Composed, Whole, ScalarType.Float64, loss), 1e-11);
    }

    [Test, Category("Slow")]
    public void Every_derivative_by_weights_matches_finite_differences()
    {
        using Problem problem = new();
        Operation operation = problem.Operation(OperatorMode.Host);
        operation.MatchesFiniteDifferences();
        operation.TakesStridedTensors();
        operation.RepeatsItself(second: false);
    }

    [Test]
    public void Derivatives_of_derivatives_are_those_of_the_composed_form()
    {
        using Problem problem = new();
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
        using var model = (SpookyNet)Model(config, ScalarType.Float64);
        using GraphBatch batch = Batch(config);
        (SpookyNetSettings settings, SpookyNetFrames frames, Tensor?[] inputs) = model.Passed(batch, PairVectors(batch));
        Tensor?[] found = SpookyNetEnergiesComposed.Apply(settings, frames, inputs);
        Tensor energies = zeros(batch.Frames, dtype: ScalarType.Float64).index_add(0, batch.FrameOfAtom, found[0]!, 1);
        Expect.Close(energies, model.Evaluate(batch).Energies, absolute: 1e-11, ofLargest: 1e-12);
    }

    [Test, NonParallelizable]
    public void The_number_of_threads_changes_no_bit([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        int before = get_num_threads();
        try
        {
            set_num_threads(1);
            (string Name, double[] Values)[] alone = Step(OperatorMode.Auto, config, ScalarType.Float32);
            set_num_threads(2);
            for (int repeat = 0; repeat < 2; repeat++)
            {
                (string Name, double[] Values)[] together = Step(OperatorMode.Auto, config, ScalarType.Float32);
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
        (string Name, double[] Values)[] all = Step(OperatorMode.Auto, Configs[1], ScalarType.Float64);
        (string Name, double[] Values)[] half = Step(OperatorMode.Auto, Configs[1], ScalarType.Float64, freeze: true);
        Assert.That(half.Length < all.Length);
        foreach ((string name, double[] values) in half) Assert.That(values, Is.EqualTo(all.Single(a => a.Name == name).Values), name);
    }

    [Test]
    public void Gradients_are_put_where_a_trainer_keeps_them_and_added_up()
    {
        using ForceField model = Model(Configs[2], ScalarType.Float64);
        using GraphBatch batch = Batch(Configs[2]);
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
    public void Equal_queries_and_keys_share_the_gradient_of_their_maximum()
    {
        // All directions alike: every entry of a row attains its maximum, and atoms of one element that of the frame.
        using var model = (SpookyNet)Model(Whole, ScalarType.Float64);
        using (no_grad())
            foreach ((_, Tensor directions) in model.PublishedBuffers) directions.copy_(directions.narrow(1, 0, 1).expand(directions.shape).clone());
        using GraphBatch batch = Batch(Whole);
        TestScope.Mode(OperatorMode.Composed);
        double[] expected = Gradient();
        TestScope.Mode(OperatorMode.Auto);
        Expect.Close(Gradient(), expected, absolute: 1e-10 * expected.Max(Math.Abs));

        double[] Gradient()
        {
            model.zero_grad();
            Gradients.Backward(Loss(model.Evaluate(batch, createGraph: true), (1, 1, 0)));
            return [.. model.parameters().SelectMany(p => Numbers(p.grad!))];
        }
    }

    [Test]
    public void Without_a_graph_charges_spins_and_every_pair_count_too([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType type)
    {
        using ForceField model = Model(Configs[3], type);
        Frame[] frames = [.. Molecules.Select(m => new Frame
        {
            AtomicNumbers = m.AtomicNumbers, Positions = [.. m.Positions.SelectMany(p => p)], Charge = m.Charge, Spin = m.Spin,
        })];
        TestScope.Mode(OperatorMode.Composed);
        FramePrediction[] expected = Predict(frames);
        TestScope.Mode(OperatorMode.Auto);
        FramePrediction[] found = Predict(frames);
        double tolerance = type == ScalarType.Float64 ? 1e-11 : 5e-5;
        for (int f = 0; f < frames.Length; f++)
        {
            Expect.Close(found[f].Energy, expected[f].Energy, relative: tolerance, message: $"energy of frame {f}");
            Expect.Close(found[f].Forces, expected[f].Forces, absolute: tolerance * Math.Max(1, expected[f].Forces.Max(Math.Abs)), message: $"forces of frame {f}");
        }
        Frame crystal = new() { AtomicNumbers = [1], Positions = [0, 0, 0], Cell = [3, 0, 0, 0, 3, 0, 0, 0, 3], Periodic = [true, true, true] };
        Assert.That(() => Predict([crystal]), Throws.TypeOf<InputException>().With.Message.Contains("electrostaticCutoff"));

        FramePrediction[] Predict(Frame[] all)
        {
            using var predictor = new FramePredictor(model);
            return predictor.Predict(all);
        }
    }

    [Test]
    public void Edges_without_their_reverse_and_large_frames_take_the_graph()
    {
        using GraphBatch oneWay = TestFrame.Batch(4, false, Molecules[0]), twoWay = TestFrame.Batch(4, true, Molecules[0]);
        Assert.That(Graph(oneWay), Is.Null);
        Assert.That(Graph(twoWay)!.Pairs, Is.EqualTo(twoWay.Edges.Count / 2));
        Assert.That(SpookyNetGraph.Of([SpookyNetGraph.LargestFrame + 1], twoWay.Edges.Pairs, twoWay.AtomicNumbers, null, null), Is.Null);

        static SpookyNetGraph? Graph(GraphBatch batch) => SpookyNetGraph.Of(batch.AtomsPerFrame, batch.Edges.Pairs, batch.AtomicNumbers, batch.Charges, batch.Spins);
    }

    private static void Same((string Name, double[] Values)[] found, (string Name, double[] Values)[] expected, double tolerance)
    {
        Assert.That(found.Length, Is.EqualTo(expected.Length));
        // Where a gradient cancels, what is left are rounding errors of what others are made of.
        double floor = 1e-3 * Math.Max(1, expected.Max(e => e.Values.Max(Math.Abs)));
        for (int i = 0; i < expected.Length; i++)
            Expect.Close(found[i].Values, expected[i].Values, absolute: tolerance * (floor + expected[i].Values.Max(Math.Abs)), message: expected[i].Name);
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);
    }

    private static GraphBatch Batch(ForceFieldConfig config) => double.IsInfinity(config.NeighborCutoff)
        ? TestFrame.Batch(config.NeighborCutoff, Molecules) : TestFrame.Batch(config.NeighborCutoff, [.. Molecules, TestFrame.Crystal(3, 2)]);

    private static Tensor PairVectors(GraphBatch batch) =>
        EdgeVectors.Apply(batch.Positions, batch.Edges, batch.ShiftVectors).index_select(0, batch.Edges.Pairs.Edges);

    private static Tensor Loss(ForceFieldOutput output, (double Energy, double Force, double Stress) weights)
    {
        Tensor loss = zeros([], dtype: ScalarType.Float64);
        if (weights.Energy > 0) loss = loss + output.Energies.square().sum() * weights.Energy;
        if (weights.Force > 0) loss = loss + output.Forces!.square().sum() * weights.Force;
        return weights.Stress > 0 && output.Stress is not null ? loss + output.Stress.square().sum() * weights.Stress : loss;
    }

    /// <summary>With nothing at zero, nor at one.</summary>
    private static ForceField Model(ForceFieldConfig config, ScalarType type)
    {
        ForceField model = config.Create(3, type);
        int n = 0;
        using (no_grad())
            foreach (var weight in model.parameters()) weight.add_((Operation.Normal(weight.to(ScalarType.Float64), 40 + n++) * 0.1).to(type));
        return model;
    }

    private static (string Name, double[] Values)[] Step(OperatorMode mode, ForceFieldConfig config, ScalarType type,
        (double Energy, double Force, double Stress)? weights = null, bool freeze = false)
    {
        TestScope.Mode(mode);
        using DisposeScope scope = NewDisposeScope();
        using ForceField model = Model(config, type);
        using GraphBatch batch = Batch(config);
        int n = 0;
        foreach (var weight in model.parameters()) weight.requires_grad = !freeze || n++ % 2 == 0;
        bool stress = batch.Volumes is not null;
        ForceFieldOutput output = model.Evaluate(batch, stress: stress, createGraph: true);
        Gradients.Backward(Loss(output, weights ?? (1, 1, 1)));
        return
        [
            ("energies", Numbers(output.Energies)), ("forces", Numbers(output.Forces!)), .. stress ? [("stress", Numbers(output.Stress!))] : ((string, double[])[])[],
            .. model.named_parameters().Where(p => p.parameter.grad is not null).Select(p => (p.name, Numbers(p.parameter.grad!))),
        ];
    }

    private static double[] Numbers(Tensor values) => values.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray();

    /// <summary>A whole network on a few atoms, as an operation on its weights.</summary>
    private sealed class Problem : IDisposable
    {
        private readonly SpookyNet model;
        private readonly GraphBatch batch = TestFrame.Batch(
            double.PositiveInfinity, TestFrame.Molecule(3, 6, 1.5) with { Charge = 1, Spin = 1 }, TestFrame.Molecule(1, 7) with { Charge = -1 });

        public Problem()
        {
            model = (SpookyNet)Model(
                Whole with { Features = 1, RandomFeatures = 2, RadialFunctions = 2, MaxAtomicNumber = 8, ElectrostaticCutoff = 0 }, ScalarType.Float64);
        }

        public Operation Operation(OperatorMode mode)
        {
            TestScope.Mode(mode);
            (SpookyNetSettings settings, SpookyNetFrames frames, Tensor?[] inputs) = model.Passed(batch, PairVectors(batch));
            SpookyNetGraph graph = SpookyNetGraph.Of(batch.AtomsPerFrame, batch.Edges.Pairs, batch.AtomicNumbers, batch.Charges, batch.Spins)!;
            Tensor[] weights = [.. inputs[settings.Fixed..].Select(w => w!.detach())];
            return new Operation([.. weights.Select((_, i) => $"weight {i}")], weights, all =>
            {
                Tensor?[] given = [.. inputs[..settings.Fixed], .. all];
                if (mode == OperatorMode.Composed) return [.. SpookyNetEnergiesComposed.Apply(settings, frames, given)!];
                Assert.That(SpookyNetEnergies.Has(settings, given));
                (Tensor energies, Tensor by) = SpookyNetEnergies.Apply(settings, frames, graph, given);
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
