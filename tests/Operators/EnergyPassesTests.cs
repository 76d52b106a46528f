using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SchNet;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Kernels.Radial;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>SchNet and PaiNN as one pass over the whole network, with forces and their derivative by weights, against library operations.</summary>
public class EnergyPassesTests : OperatorFixture
{
    // Several blocks, a crystal whose atoms neighbour themselves, a single atom, two that are out of reach.
    private static readonly TestFrame[] Frames =
    [
        TestFrame.Molecule(30, 1, 2.6), TestFrame.Molecule(1, 4), TestFrame.Molecule(30, 2, 2.6), TestFrame.Crystal(3, 2),
        new TestFrame([1, 8], [[0, 0, 0], [0, 0, 9]]), TestFrame.Molecule(12, 3),
    ];

    private static readonly RadialForceFieldConfig[] Configs =
    [
        new SchNetConfig { Features = 16, Filters = 32, RadialFunctions = 5, MaxAtomicNumber = 10, Cutoff = 4 },
        new SchNetConfig
        {
            Features = 24, Filters = 8, Interactions = 1, RadialBasis = RadialBasisKind.Bessel, CutoffFunction = CutoffKind.Polynomial, RadialFunctions = 17,
            MaxAtomicNumber = 10, Cutoff = 4,
        },
        new PaiNNConfig { Features = 16, RadialFunctions = 5, MaxAtomicNumber = 10, Cutoff = 4, NormEpsilon = 1e-3 },
        new PaiNNConfig
        {
            Features = 24, Interactions = 1, RadialBasis = RadialBasisKind.Bessel, CutoffFunction = CutoffKind.Polynomial, RadialFunctions = 17,
            MaxAtomicNumber = 10, Cutoff = 4, NormEpsilon = 1e-3,
        },
    ];

    private static readonly string[] Wholes = ["SchNet", "PaiNN"];

    [Test]
    public void A_training_step_is_that_of_library_operations(
        [ValueSource(nameof(Configs))] ForceFieldConfig config, [Values] bool twoWay, [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType type)
    {
        (string Name, double[] Values)[] expected = Step(OperatorMode.Composed, config, type, twoWay), found = Step(OperatorMode.Auto, config, type, twoWay);
        for (int i = 0; i < expected.Length; i++)
        {
            double size = expected[i].Values.Max(Math.Abs), tolerance = type == ScalarType.Float64 ? 1e-11 : 1e-4;
            Expect.Close(found[i].Values, expected[i].Values, absolute: tolerance * (1e-3 + size), message: expected[i].Name);
        }
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);
    }

    [TestCase(1, 0, 0)]
    [TestCase(0, 1, 0)]
    [TestCase(0, 0, 1)]
    public void Energies_forces_or_stress_alone_are_trained_on(double energy, double force, double stress)
    {
        foreach (ForceFieldConfig config in Configs)
        {
            (string Name, double[] Values)[] expected = Step(OperatorMode.Composed, config, ScalarType.Float64, true, (energy, force, stress));
            (string Name, double[] Values)[] found = Step(OperatorMode.Auto, config, ScalarType.Float64, true, (energy, force, stress));
            for (int i = 0; i < expected.Length; i++)
                Expect.Close(found[i].Values, expected[i].Values, absolute: 1e-11 * (1e-3 + expected[i].Values.Max(Math.Abs)), message: expected[i].Name);
        }
    }

    [Test]
    public void Every_derivative_by_weights_matches_finite_differences([ValueSource(nameof(Wholes))] string model)
    {
        Operation operation = Whole(model, OperatorMode.Host);
        operation.MatchesFiniteDifferences();
        operation.TakesStridedTensors();
        operation.RepeatsItself(second: false);
    }

    [Test]
    public void Derivatives_of_derivatives_are_those_of_the_composed_form([ValueSource(nameof(Wholes))] string model)
    {
        Tensor[] found = Second(OperatorMode.Host), expected = Second(OperatorMode.Composed);
        for (int i = 0; i < found.Length; i++) Expect.Close(found[i], expected[i], absolute: 1e-10, relative: 1e-9, message: $"input {i}");
        Expect.AtLeast(found.Count(t => t.count_nonzero().item<long>() > 0), found.Length - 2);

        Tensor[] Second(OperatorMode mode)
        {
            Operation operation = Whole(model, mode);
            Tensor[] leaves = [.. operation.At.Select(t => t.detach().requires_grad_())], outputs = operation.Apply(leaves);
            IList<Tensor> first = Gradients.Of([.. outputs], leaves, [.. outputs.Select((t, i) => Operation.Normal(t, 5 + i))], retainGraph: true, createGraph: true);
            Tensor sum = first.Select((g, i) => (g * Operation.Normal(g, 20 + i)).sum()).Aggregate((a, b) => a + b);
            return [.. Gradients.Of([sum], leaves, allowUnused: true).Select((t, i) => t is { IsInvalid: false } ? t : zeros_like(leaves[i]))];
        }
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
            for (int repeat = 0; repeat < 3; repeat++)
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
    public void Frozen_weights_get_no_gradient_and_the_others_theirs([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        (string Name, double[] Values)[] all = Step(OperatorMode.Auto, config, ScalarType.Float64, true);
        (string Name, double[] Values)[] half = Step(OperatorMode.Auto, config, ScalarType.Float64, true, freeze: true);
        Assert.That(half.Length < all.Length);
        foreach ((string name, double[] values) in half) Assert.That(values, Is.EqualTo(all.Single(a => a.Name == name).Values), name);
    }

    [Test]
    public void Gradients_are_put_where_a_trainer_keeps_them_and_added_up([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        using ForceField model = config.Create(3, ScalarType.Float64);
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
    public void Frames_are_cut_into_blocks_that_hold_their_pairs()
    {
        using GraphBatch batch = TestFrame.Batch(4, Frames);
        FrameBlocks blocks = FrameBlocks.Of(batch.AtomsPerFrame, batch.Edges.Pairs)!;
        Assert.That(blocks.Blocks, Has.Length.EqualTo(2));
        Assert.That(blocks.Blocks.Sum(b => b.Atoms), Is.EqualTo(batch.Atoms));
        Assert.That(blocks.Blocks.Sum(b => b.Pairs), Is.EqualTo(batch.Edges.Pairs.Count));
        foreach (FrameBlock block in blocks.Blocks)
        {
            foreach (PairRange chunk in block.Chunks(50))
                for (int p = chunk.First; p < chunk.First + chunk.Count; p++)
                    Assert.That(Inside(blocks.Receivers[p], block) && Inside(blocks.Senders[p], block));
        }
        Assert.That(FrameBlocks.Of([FrameBlocks.LargestFrame + 1], batch.Edges.Pairs), Is.Null);

        static bool Inside(int atom, FrameBlock block) => atom >= block.FirstAtom && atom < block.FirstAtom + block.Atoms;
    }

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
        foreach (var weight in model.parameters())
        {
            // No bias at zero, whatever the type.
            using (no_grad()) weight.add_((Operation.Normal(weight.to(ScalarType.Float64), 40 + n) * 0.1).to(type));
            weight.requires_grad = !freeze || n % 2 == 0;
            n++;
        }
        ForceFieldOutput output = model.Evaluate(batch, stress: true, createGraph: true);
        Gradients.Backward(Loss(output, weights ?? (1, 1, 1)));
        return
        [
            ("energies", Numbers(output.Energies)), ("forces", Numbers(output.Forces!)), ("stress", Numbers(output.Stress!)),
            .. model.named_parameters().Where(p => p.parameter.grad is not null).Select(p => (p.name, Numbers(p.parameter.grad!))),
        ];
    }

    private static double[] Numbers(Tensor values) => values.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray();

    /// <summary>A whole network on three atoms, as an operation on its weights.</summary>
    private static Operation Whole(string model, OperatorMode mode)
    {
        TestScope.Mode(mode);
        const int Elements = 3, F = 8, N = 4, K = 3;
        // Edges of two atoms that know each other and one that a third sends; a loop in a crystal.
        var edges = new EdgeList([0, 3, 4, 4], [1, 2, 0, 0], [3, 1, 2, 0]);
        PairList pairs = edges.Pairs;
        Tensor vectors = tensor(new double[,] { { 1.1, 0.3, -0.2 }, { -0.4, 1.2, 0.9 }, { 0.5, 0.7, -1.3 } }), numbers = tensor(new long[] { 1, 0, 2 });
        Assert.That((pairs.Count, pairs.TwoWay), Is.EqualTo((3, 1)));
        long[][] shapes = model == "SchNet"
            ? [[Elements, F], .. Twice([[N, F], [N, K], [N], [N, N], [N], [F, N], [F], [F, F], [F]])]
            : [[Elements, F], [6 * F, K], [6 * F], .. Twice([[F, F], [F], [3 * F, F], [3 * F], [2 * F, F], [F, 2 * F], [F], [3 * F, F], [3 * F]])];
        shapes = [.. shapes, [F / 2, F], [F / 2], [1, F / 2], [1]];
        Tensor[] weights = [.. shapes.Select((shape, i) => Operation.Normal(zeros(shape, dtype: ScalarType.Float64), 100 + i) * 0.4)];
        Tensor centers = tensor(new[] { 0.4, 1.2, 2.0 }), exponents = tensor(new[] { -1.1, -0.9, -1.3 });
        var settings = new EnergySettings(new RadialSettings(true, 3, 0), 2, 0.1);
        var graph = new EnergyGraph(FrameBlocks.Of([3], pairs)!, [1, 0, 2]);
        return new Operation([.. shapes.Select((_, i) => $"weight {i}")], weights, all =>
        {
            Tensor?[] inputs = [vectors, centers, exponents, .. all];
            if (mode == OperatorMode.Composed)
                return [.. (model == "SchNet" ? SchNetEnergiesComposed.Apply(settings, pairs, numbers, inputs) : PaiNNEnergiesComposed.Apply(settings, pairs, numbers, inputs))!];
            Assert.That(model == "SchNet" ? SchNetEnergies.Has(inputs) : PaiNNEnergies.Has(inputs));
            (Tensor energies, Tensor by) = model == "SchNet"
                ? SchNetEnergies.Apply(settings, pairs, graph, numbers, inputs) : PaiNNEnergies.Apply(settings, pairs, graph, numbers, inputs);
            return [energies, by];
        });

        static IEnumerable<long[]> Twice(long[][] layer) => layer.Concat(layer);
    }
}
