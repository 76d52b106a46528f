using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>What every force field owes to physics, whatever its weights.</summary>
public class TrustedForceFieldTests
{
    private static readonly TestFrame Molecule = TestFrame.Molecule(7, 1) with { Charge = 1, Spin = 2 };
    private static readonly TestFrame Crystal = TestFrame.Crystal(3, 2);

    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close() => scope.Dispose();

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void Energies_are_invariant_and_forces_and_stress_turn_with_rotations(ForceFieldCase which, ScalarType dtype, double tolerance) =>
        Equivariant(which, dtype, tolerance, Rotation());

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void Energies_are_invariant_and_forces_and_stress_turn_with_reflections(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        double[][] mirrored = Rotation();
        mirrored[0] = [.. mirrored[0].Select(x => -x)];
        Equivariant(which, dtype, tolerance, mirrored);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void Translations_change_nothing(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        using ForceField model = which.Model(dtype);
        ForceFieldOutput before = Evaluate(model, stress: true, Molecule, Crystal);
        ForceFieldOutput after = Evaluate(model, stress: true, Molecule.Moved(Far), Crystal.Moved(Far));
        Same(after.Energies, before.Energies, tolerance);
        Same(after.Forces!, before.Forces!, tolerance);
        Same(after.Stress![1], before.Stress![1], tolerance);

        static double[] Far(double[] p) => [p[0] + 31.7, p[1] - 12.3, p[2] + 55.1];
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void Permuted_atoms_have_permuted_forces(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        int[] order = [3, 0, 6, 2, 5, 1, 4];
        using ForceField model = which.Model(dtype);
        ForceFieldOutput before = Evaluate(model, stress: false, Molecule), after = Evaluate(model, stress: false, Molecule.Permuted(order));
        Same(after.Energies, before.Energies, tolerance);
        Same(after.Forces!, before.Forces!.index_select(0, tensor(order.Select(i => (long)i).ToArray())), tolerance);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void A_frame_is_the_same_alone_and_in_a_batch(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        TestFrame[] frames = [Molecule, Crystal, TestFrame.Molecule(1, 3), TestFrame.Molecule(11, 4)];
        using ForceField model = which.Model(dtype);
        ForceFieldOutput together = Evaluate(model, stress: true, frames);
        long first = 0;
        for (int b = 0; b < frames.Length; b++)
        {
            ForceFieldOutput alone = Evaluate(model, stress: frames[b].Cell is not null, frames[b]);
            Same(together.Energies.narrow(0, b, 1), alone.Energies, tolerance);
            Same(together.Forces!.narrow(0, first, frames[b].Positions.Length), alone.Forces!, tolerance);
            if (alone.Stress is not null) Same(together.Stress!.narrow(0, b, 1), alone.Stress, tolerance);
            first += frames[b].Positions.Length;
        }
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void A_frame_has_no_gradient_in_another(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        using ForceField model = which.Model(dtype);
        using GraphBatch batch = TestFrame.Batch(ForceFieldCase.Cutoff, Molecule, TestFrame.Molecule(5, 5));
        batch.Positions.requires_grad_();
        Tensor energies = model.Evaluate(batch, forces: false).Energies;
        Tensor gradient = Gradients.Of([energies.narrow(0, 1, 1)], [batch.Positions])[0].abs();
        Assert.That(gradient.narrow(0, 0, 7).max().item<double>(), Is.Zero);
        Expect.Above(gradient.narrow(0, 7, 5).max().item<double>(), tolerance * 1e-3);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Double))]
    public void Forces_match_finite_differences_in_molecules_and_periodic_cells(ForceFieldCase which)
    {
        using ForceField model = which.Model();
        foreach (TestFrame frame in (TestFrame[])[Molecule, Crystal])
        {
            Tensor forces = Evaluate(model, stress: false, frame).Forces!;
            for (int atom = 0; atom < 3; atom++)
            {
                for (int axis = 0; axis < 3; axis++)
                {
                    double slope = Slope(h => Energy(model, frame.Shifted(atom, axis, h)));
                    Expect.Close(forces[atom, axis].item<double>(), -slope, absolute: 1e-8 * Math.Max(1, Math.Abs(slope)));
                }
            }
        }
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Double))]
    public void Stress_matches_finite_differences_of_strained_cells(ForceFieldCase which)
    {
        using ForceField model = which.Model();
        Tensor stress = Evaluate(model, stress: true, Crystal).Stress![0];
        double volume = TestFrame.Batch(ForceFieldCase.Cutoff, Crystal).Volumes!.item<double>();
        for (int a = 0; a < 3; a++)
        {
            for (int b = 0; b < 3; b++)
            {
                double slope = Slope(h => Energy(model, Crystal.Map(p => Strain(p, a, b, h)))) / volume;
                Expect.Close(stress[a, b].item<double>(), slope, absolute: 1e-8 * Math.Max(1, Math.Abs(slope)));
            }
        }

        static double[] Strain(double[] p, int a, int b, double h)
        {
            double[] strained = (double[])p.Clone();
            strained[a] += h / 2 * p[b];
            strained[b] += h / 2 * p[a];
            return strained;
        }
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Double))]
    public void Weight_gradients_of_a_force_loss_match_finite_differences(ForceFieldCase which)
    {
        using ForceField model = which.Model();
        using GraphBatch batch = TestFrame.Batch(ForceFieldCase.Cutoff, Molecule, Crystal);
        Gradients.Backward(Loss(model, batch));
        foreach ((string name, var weight) in model.PublishedWeights)
        {
            Tensor direction = randn(weight.shape, dtype: ScalarType.Float64, generator: new Generator(3));
            double analytic = (weight.grad! * direction).sum().item<double>();
            double slope = Central(h =>
            {
                using var gradients = no_grad();
                weight.add_(direction * h);
                double loss = Loss(model, batch, graph: false).item<double>();
                weight.sub_(direction * h);
                return loss;
            });
            Expect.Close(analytic, slope, absolute: 1e-6 * Math.Max(1, Math.Abs(slope)), message: name);
        }
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void Energy_and_force_are_smooth_through_the_cutoff(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        using ForceField model = which.Model(dtype);
        const double Step = 1e-6;
        ForceFieldOutput inside = Pair(ForceFieldCase.Cutoff - Step), outside = Pair(ForceFieldCase.Cutoff + Step);
        Same(inside.Energies, outside.Energies, tolerance);
        Same(inside.Forces!, outside.Forces!, Math.Max(tolerance, 100 * Step));
        // Well inside they do see each other.
        Expect.Above((Pair(2).Energies - outside.Energies).abs().item<double>(), 1e-4);

        ForceFieldOutput Pair(double distance) => Evaluate(model, stress: false, new TestFrame([6, 8], [[0, 0, 0], [0.6 * distance, 0.8 * distance, 0]]));
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void Edges_beyond_the_cutoff_add_nothing(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        using ForceField model = which.Model(dtype);
        ForceFieldOutput listed = model.Evaluate(TestFrame.Batch(ForceFieldCase.Cutoff + 1.5, Crystal), stress: true);
        ForceFieldOutput exact = Evaluate(model, stress: true, Crystal);
        Same(listed.Energies, exact.Energies, tolerance);
        Same(listed.Forces!, exact.Forces!, tolerance);
        Same(listed.Stress!, exact.Stress!, tolerance);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void An_isolated_atom_has_its_energy_and_no_force(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        using ForceField model = which.Model(dtype);
        ForceFieldOutput alone = Evaluate(model, stress: false, new TestFrame([8], [[1, 2, 3]]));
        Assert.That(alone.Forces!.abs().max().item<double>(), Is.Zero);
        Assert.That(double.IsFinite(alone.Energies.item<double>()), Is.True);

        if (!which.Traits.HasFlag(ForceFieldTraits.Local)) return;
        // The same atom out of reach of a molecule.
        TestFrame apart = Molecule with { AtomicNumbers = [.. Molecule.AtomicNumbers, 8], Positions = [.. Molecule.Positions, [50, 0, 0]] };
        ForceFieldOutput both = Evaluate(model, stress: false, apart);
        Same(both.Energies, Evaluate(model, stress: false, Molecule).Energies + alone.Energies, tolerance);
        Assert.That(both.Forces![7].abs().max().item<double>(), Is.Zero);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void A_batch_without_any_edge_can_be_trained_on(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        using ForceField model = which.Model(dtype);
        using GraphBatch batch = TestFrame.Batch(ForceFieldCase.Cutoff, new TestFrame([6], [[0, 0, 0]]), new TestFrame([1], [[0, 0, 0]]));
        ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
        Gradients.Backward(output.Energies.square().sum() + output.Forces!.square().sum());
        var energyBias = model.PublishedWeights.Last().Weight;
        if (which.Traits.HasFlag(ForceFieldTraits.EnergyBias)) Same(energyBias.grad!.to(ScalarType.Float64).sum(), 2 * output.Energies.sum(), tolerance);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Both))]
    public void Training_leaves_no_tensors_behind_and_repeats_bit_for_bit(ForceFieldCase which, ScalarType dtype, double tolerance)
    {
        using ForceField model = which.Model(dtype);
        using GraphBatch batch = TestFrame.Batch(ForceFieldCase.Cutoff, Molecule, Crystal, TestFrame.Molecule(9, 8));
        Step();
        double[][] first = WeightGradients();
        // What earlier tests left to the collector goes first.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long live = TensorCount.Now;
        for (int i = 0; i < 20; i++) Step();
        Assert.That(TensorCount.Now, Is.EqualTo(live));
        Assert.That(WeightGradients(), Is.EqualTo(first));

        void Step()
        {
            using DisposeScope step = NewDisposeScope();
            foreach (var p in model.parameters()) p.grad?.zero_();
            using Tensor loss = Loss(model, batch);
            Gradients.Backward(loss);
        }

        double[][] WeightGradients() => [.. model.PublishedWeights.Select(w =>
        {
            using Tensor gradient = w.Weight.grad!, wide = gradient.to(ScalarType.Float64);
            return wide.data<double>().ToArray();
        })];
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Double))]
    public void Single_precision_agrees_with_double(ForceFieldCase which)
    {
        using ForceField wide = which.Model(), narrow = which.Model(ScalarType.Float32);
        using (no_grad())
        {
            foreach (((string _, var to), (string _, var from)) in narrow.PublishedWeights.Zip(wide.PublishedWeights)) to.copy_(from);
            foreach (((string _, var to), (string _, var from)) in narrow.PublishedBuffers.Zip(wide.PublishedBuffers)) to.copy_(from);
        }
        ForceFieldOutput exact = Evaluate(wide, stress: true, Molecule, Crystal), rounded = Evaluate(narrow, stress: true, Molecule, Crystal);
        Same(rounded.Energies, exact.Energies, 1e-4);
        Same(rounded.Forces!, exact.Forces!, 1e-4);
        Same(rounded.Stress![1], exact.Stress![1], 1e-4);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Double))]
    public void The_parameter_count_is_the_formula(ForceFieldCase which)
    {
        using ForceField model = which.Model();
        Assert.That(model.ParameterCount, Is.EqualTo(model.Config.Parameters));
        var first = model.PublishedWeights.First().Weight;
        long embedding = which.Traits.HasFlag(ForceFieldTraits.ElementTable) ? first.numel() : which.ElementRows * first.size(1);
        Assert.That(model.Config.Parameters - model.Config.NonEmbeddingParameters, Is.EqualTo(embedding));
        Assert.That(model.PublishedWeights.Sum(w => w.Weight.numel()), Is.EqualTo(model.ParameterCount));
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Double))]
    public void An_unknown_element_is_refused(ForceFieldCase which)
    {
        using ForceField model = which.Model();
        Assert.That(() => Evaluate(model, stress: false, new TestFrame([118], [[0, 0, 0]])),
            Throws.TypeOf<ChemScale.Engine.InputException>().With.Message.Contains("118"));
    }

    private static void Equivariant(ForceFieldCase which, ScalarType dtype, double tolerance, double[][] matrix)
    {
        using ForceField model = which.Model(dtype);
        ForceFieldOutput before = Evaluate(model, stress: true, Molecule, Crystal);
        ForceFieldOutput after = Evaluate(model, stress: true, Molecule.Map(Turn), Crystal.Map(Turn));
        Tensor turn = tensor(matrix.SelectMany(r => r).ToArray()).view(3, 3);
        Same(after.Energies, before.Energies, tolerance);
        Same(after.Forces!, before.Forces!.matmul(turn.T), tolerance);
        Same(after.Stress![1], turn.matmul(before.Stress![1]).matmul(turn.T), tolerance);

        double[] Turn(double[] p) => [.. matrix.Select(row => row[0] * p[0] + row[1] * p[1] + row[2] * p[2])];
    }

    private static double[][] Rotation()
    {
        (double sa, double ca) = Math.SinCos(0.7);
        (double sb, double cb) = Math.SinCos(-1.1);
        return [[ca, -sa * cb, sa * sb], [sa, ca * cb, -ca * sb], [0, sb, cb]];
    }

    private static ForceFieldOutput Evaluate(ForceField model, bool stress, params TestFrame[] frames)
    {
        using GraphBatch batch = TestFrame.Batch(ForceFieldCase.Cutoff, frames);
        return model.Evaluate(batch, stress: stress);
    }

    private static double Energy(ForceField model, TestFrame frame)
    {
        using GraphBatch batch = TestFrame.Batch(ForceFieldCase.Cutoff, frame);
        using ForceFieldOutput output = model.Evaluate(batch, forces: false);
        return output.Energies.item<double>();
    }

    private static Tensor Loss(ForceField model, GraphBatch batch, bool graph = true)
    {
        using DisposeScope scope = NewDisposeScope();
        ForceFieldOutput output = model.Evaluate(batch, stress: true, createGraph: graph);
        Tensor loss = output.Energies.square().mean() + output.Forces!.square().mean() + output.Stress![1].square().sum();
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>Central difference of fourth order.</summary>
    private static double Slope(Func<double, double> f, double h = 1e-3) => (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);

    /// <summary>Central difference of second order, where 1e-6 is asked: half the losses.</summary>
    private static double Central(Func<double, double> f, double h = 3e-5) => (f(h) - f(-h)) / (2 * h);

    private static void Same(Tensor actual, Tensor expected, double tolerance) =>
        Expect.Close(actual, expected, absolute: tolerance * Math.Max(1, expected.abs().max().item<double>()));
}
