using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Embedded;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Simulation;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>Energies, forces and stress without a graph, against those of the graph.</summary>
public class ForcePassesTests
{
    private const double Cutoff = ForceFieldCase.Cutoff;

    private const string FirstElements = "H, He, Li, Be, B, C, N, O";

    // More than a block of atoms, many chunks of pairs, filters that are not kept at the greater width.
    private static readonly TestFrame Cluster = TestFrame.Molecule(60, 5, radius: 2.7);

    private static readonly TestFrame[] Frames =
    [
        TestFrame.Molecule(7, 1), TestFrame.Crystal(3, 2), TestFrame.Molecule(1, 3), new TestFrame([1, 8], [[0, 0, 0], [30, 0, 0]]), Cluster,
    ];

    private static readonly ForceFieldConfig[] Small =
    [
        new PaiNNConfig { Features = 16, Interactions = 2, Cutoff = Cutoff }, new SchNetConfig { Features = 16, Interactions = 2, Cutoff = Cutoff },
        new AllegroConfig { Features = 8, TwoBodyWidths = "16, 32", LatentWidths = "32", Cutoff = Cutoff },
        new SpookyNetConfig { Features = 16, Interactions = 2, Cutoff = Cutoff, ElectrostaticCutoff = Cutoff, RadialFunctions = 6 },
    ];

    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        TestScope.Reset();
        scope.Dispose();
    }

    [TestCaseSource(nameof(Cases))]
    public void They_agree_with_the_graph_s(ForceFieldConfig config, ScalarType dtype)
    {
        using ForceField model = Model(config, dtype);
        using GraphBatch batch = TestFrame.Batch(Cutoff, Frames);
        TestScope.Mode(OperatorMode.Composed);
        ForceFieldOutput expected = model.Evaluate(batch, stress: true);
        TestScope.Mode(OperatorMode.Host);
        ForceFieldOutput actual = model.Evaluate(batch, stress: true);
        double tolerance = dtype == ScalarType.Float64 ? 1e-10 : 2e-5;
        Same(actual.Energies, expected.Energies, tolerance);
        Same(actual.Forces!, expected.Forces!, tolerance);
        Same(actual.Stress!, expected.Stress!, tolerance);
        using IDisposable gradients = no_grad();
        Assert.That(Numbers(model.Evaluate(batch, forces: false).Energies), Is.EqualTo(Numbers(actual.Energies)));
    }

    [TestCaseSource(nameof(Cases))]
    public void From_frames_they_agree_with_the_graph_s(ForceFieldConfig config, ScalarType dtype)
    {
        using ForceField model = Model(config, dtype);
        Frame[] frames = [.. Frames[..^1].Select(AsFrame), .. config.NonEmbeddingParameters < 3000 ? [Large()] : (Frame[])[]];
        TestScope.Mode(OperatorMode.Composed);
        FramePrediction[] expected = Predict(model, frames);
        TestScope.Mode(OperatorMode.Auto);
        FramePrediction[] actual = Predict(model, frames);
        double tolerance = dtype == ScalarType.Float64 ? 1e-10 : 2e-5;
        for (int f = 0; f < frames.Length; f++)
        {
            Expect.Close(actual[f].Energy, expected[f].Energy, relative: tolerance, message: $"energy of frame {f}");
            Expect.Close(actual[f].Forces, expected[f].Forces, absolute: tolerance * Math.Max(1, expected[f].Forces.Max(Math.Abs)), message: $"forces of frame {f}");
            Assert.That(actual[f].Stress is null, Is.EqualTo(expected[f].Stress is null));
            if (expected[f].Stress is { } stress) Expect.Close(actual[f].Stress!, stress, absolute: tolerance * stress.Max(Math.Abs), message: $"stress of frame {f}");
        }
    }

    [Test, NonParallelizable]
    public void A_frame_has_the_same_bits_alone_in_a_batch_and_by_two_threads([ValueSource(nameof(Small))] ForceFieldConfig config)
    {
        using ForceField model = Model(config, ScalarType.Float32);
        Frame[] frames = [.. Frames.Select(AsFrame)];
        FramePrediction[] together = Predict(model, frames);
        FramePrediction[] shared;
        using (ThreadGrant.Take(2)) shared = Predict(model, frames);
        for (int f = 0; f < frames.Length; f++)
        {
            FramePrediction alone = Predict(model, frames[f..(f + 1)])[0];
            foreach (FramePrediction other in (FramePrediction[])[alone, shared[f]])
            {
                Assert.That(other.Energy, Is.EqualTo(together[f].Energy));
                Assert.That(other.Forces, Is.EqualTo(together[f].Forces));
                Assert.That(other.Stress, Is.EqualTo(together[f].Stress));
            }
        }
    }

    [Test]
    public void Dynamics_goes_the_same_way_and_keeps_its_energy([ValueSource(nameof(Small))] ForceFieldConfig config)
    {
        using ForceField model = Model(config, ScalarType.Float64);
        Frame start = AsFrame(TestFrame.Molecule(5, 6));
        (double[] composed, double composedDrift) = Move(OperatorMode.Composed);
        (double[] host, double hostDrift) = Move(OperatorMode.Auto);
        Expect.Close(host, composed, absolute: 1e-9);
        Expect.Close(hostDrift, composedDrift, absolute: 1e-9);
        Expect.Above(host.Zip(start.Positions, (a, b) => Math.Abs(a - b)).Max(), 1e-4);

        (double[] Positions, double Drift) Move(OperatorMode mode)
        {
            TestScope.Mode(mode);
            using var potential = new ForceFieldPotential(model);
            var state = new MolecularState(start, potential);
            InitialMomenta.Draw(state, 300 * MechanicalUnits.Boltzmann, seed: 1);
            var integrator = new VelocityVerlet(0.1 * MechanicalUnits.Femtosecond);
            double first = state.PotentialEnergy + state.KineticEnergy;
            for (int step = 0; step < 20; step++) integrator.Step(state);
            return (state.Positions, state.PotentialEnergy + state.KineticEnergy - first);
        }
    }

    [TestCase(ScalarType.Float64, 1e-9), TestCase(ScalarType.Float32, 1e-6)]
    public void Ethanol_at_constant_energy_drifts_as_by_library_operations(ScalarType type, double rounding)
    {
        // Forces of made-up weights: energies of the order of an eV, of which float32 keeps seven digits in each of 120 steps.
        using var folder = new TemporaryFolder();
        Frame start = FrameFiles.Read(EmbeddedFrames.ExtractTo(folder["frames"], ["ethanol"])[0]).First();
        using ForceField model = Model(new PaiNNConfig { Features = 32, Interactions = 2 }, type);
        (EnergyDrift composed, double composedSpan) = Move(OperatorMode.Composed);
        (EnergyDrift host, double hostSpan) = Move(OperatorMode.Auto);
        TestContext.Out.WriteLine($"{type}: drift {composed.Slope:G6} and {host.Slope:G6} eV/fs, fluctuation {composed.Fluctuation:G6} and {host.Fluctuation:G6} eV");
        Expect.Close(host.Slope, composed.Slope!.Value, absolute: rounding);
        Expect.Close(host.Fluctuation, composed.Fluctuation!.Value, absolute: rounding);
        // Kinetic and potential energy did change into each other, by far more than their sum did.
        Expect.Close(hostSpan, composedSpan, absolute: 100 * rounding);
        Expect.Above(hostSpan, 20 * host.Fluctuation!.Value);

        (EnergyDrift Drift, double Span) Move(OperatorMode mode)
        {
            TestScope.Mode(mode);
            using var potential = new ForceFieldPotential(model);
            var state = new MolecularState(start, potential);
            InitialMomenta.Draw(state, 300 * MechanicalUnits.Boltzmann, seed: 1);
            var integrator = new VelocityVerlet(0.2 * MechanicalUnits.Femtosecond);
            var drift = new EnergyDrift();
            double least = double.MaxValue, most = double.MinValue;
            for (int step = 0; step < 120; step++)
            {
                integrator.Step(state);
                drift.Add(0.2 * step, state.PotentialEnergy + state.KineticEnergy);
                (least, most) = (Math.Min(least, state.KineticEnergy), Math.Max(most, state.KineticEnergy));
            }
            return (drift, most - least);
        }
    }

    [Test]
    public void Composed_operations_and_kernels_take_the_graph()
    {
        using ForceField painn = new PaiNNConfig { Features = 8 }.Create(), schnet = new SchNetConfig { Features = 8 }.Create(), allegro = new AllegroConfig().Create();
        using ForceField spooky = ForceFieldCase.All.First(c => c.Name == "SpookyNet").Make(ScalarType.Float32);
        foreach (OperatorMode mode in Enum.GetValues<OperatorMode>())
        {
            TestScope.Mode(mode);
            bool without = mode is OperatorMode.Auto or OperatorMode.Host;
            foreach (ForceField model in (ForceField[])[painn, schnet, allegro, spooky])
            {
                using IForcePasses? passes = model.Passes();
                Assert.That(passes is not null, Is.EqualTo(without), $"{model.GetName()}, {mode}");
            }
        }
    }

    [Test]
    public void Atoms_at_one_point_and_positions_that_are_no_numbers_are_refused_as_by_lists()
    {
        using ForceField model = new PaiNNConfig { Features = 8 }.Create();
        foreach (double[] positions in (double[][])[[0, 0, 0, 1, 1, 1, 0, 0, 0], [0, 0, double.NaN, 1, 1, 1, 0, 0, 2]])
        {
            var frame = new Frame { AtomicNumbers = [1, 6, 8], Positions = positions };
            TestScope.Mode(OperatorMode.Composed);
            string expected = Assert.Throws<InputException>(() => FramePrediction.Of(model, frame))!.Message;
            TestScope.Mode(OperatorMode.Auto);
            Assert.That(() => FramePrediction.Of(model, frame), Throws.TypeOf<InputException>().With.Message.EqualTo(expected));
        }
    }

    private static IEnumerable<TestCaseData> Cases() =>
        from c in (ForceFieldConfig[])
        [
            new PaiNNConfig { Features = 32, Cutoff = Cutoff, NormEpsilon = 1e-2 },
            new PaiNNConfig { Features = 13, Interactions = 1, Cutoff = Cutoff, RadialFunctions = 7, MaxAtomicNumber = 10, NormEpsilon = 1e-2 },
            new PaiNNConfig { Features = 128, Cutoff = Cutoff, NormEpsilon = 1e-2 },
            new PaiNNConfig
            {
                Features = 12, Interactions = 2, Cutoff = Cutoff, RadialBasis = RadialBasisKind.Bessel, CutoffFunction = CutoffKind.Polynomial, NormEpsilon = 1e-2,
            },
            new SchNetConfig { Features = 32, Cutoff = Cutoff },
            new SchNetConfig { Features = 13, Filters = 9, Interactions = 1, Cutoff = Cutoff, RadialFunctions = 7, MaxAtomicNumber = 10 },
            new SchNetConfig { Features = 128, Filters = 144, Cutoff = Cutoff },
            new SchNetConfig { Features = 12, Interactions = 2, Cutoff = Cutoff, RadialBasis = RadialBasisKind.Bessel, CutoffFunction = CutoffKind.Polynomial },
            new AllegroConfig { Elements = FirstElements, Features = 16, TwoBodyWidths = "32, 64", LatentWidths = "64", Cutoff = Cutoff },
            new AllegroConfig
            {
                Elements = FirstElements, LMax = 1, Layers = 3, Features = 3, TwoBodyWidths = "6, 7", LatentWidths = "9, 7", EnergyWidths = "", Cutoff = Cutoff,
            },
            new AllegroConfig { Elements = FirstElements, LMax = 3, Features = 4, TwoBodyWidths = "8", LatentWidths = "8", Cutoff = Cutoff },
            new SpookyNetConfig { Features = 32, Interactions = 2, Cutoff = Cutoff, ElectrostaticCutoff = Cutoff, RadialFunctions = 16 },
            new SpookyNetConfig
            {
                Features = 5, Interactions = 1, Cutoff = 3, RadialFunctions = 6, RandomFeatures = 7, ElectrostaticCutoff = Cutoff, MaxAtomicNumber = 10,
            },
            new SpookyNetConfig { Features = 8, Interactions = 3, Cutoff = Cutoff, RadialFunctions = 6, Electrostatics = false, Repulsion = false },
        ]
        from t in (ScalarType[])[ScalarType.Float64, ScalarType.Float32]
        select new TestCaseData(c, t).SetArgDisplayNames($"{c.Title} {c.NonEmbeddingParameters} {(c as RadialForceFieldConfig)?.RadialBasis}", t.ToString());

    /// <summary>With no tensor at zero.</summary>
    private static ForceField Model(ForceFieldConfig config, ScalarType dtype)
    {
        ForceField model = config.Create(3, dtype);
        using IDisposable gradients = no_grad();
        using var generator = new Generator(4);
        foreach ((_, var weight) in model.PublishedWeights)
        {
            if (weight.count_nonzero().item<long>() == 0) weight.add_(randn(weight.shape, dtype: ScalarType.Float64, generator: generator).to(dtype) * 0.1);
        }
        model.ReferenceEnergies.copy_(linspace(0, -1, model.ReferenceEnergies.size(0), dtype: ScalarType.Float64));
        return model;
    }

    private static FramePrediction[] Predict(ForceField model, Frame[] frames)
    {
        using var predictor = new FramePredictor(model);
        return predictor.Predict(frames, stress: true);
    }

    [Test]
    public void A_slab_without_a_volume_has_no_stress([Values(16, 12)] int features)
    {
        using ForceField model = Model(new PaiNNConfig { Features = features, Interactions = 1 }, ScalarType.Float64);
        double[] positions = [0, 0, 0, 1.1, 0.2, 0.1, 0.3, 1.2, 0.4];
        var slab = new Frame { AtomicNumbers = [6, 1, 1], Positions = positions, Cell = [4, 0, 0, 0, 4, 0, 0, 0, 0], Periodic = [true, true, false] };
        Frame solid = slab with { Cell = [4, 0, 0, 0, 4, 0, 0, 0, 9] };
        FramePrediction[] found = Predict(model, [slab, solid]);
        Assert.That(found[0].Stress, Is.Null);
        Assert.That(found[1].Stress, Is.Not.Null);
    }

    private static Frame AsFrame(TestFrame frame) => new()
    {
        AtomicNumbers = frame.AtomicNumbers,
        Positions = [.. frame.Positions.SelectMany(p => p)],
        Cell = frame.Cell is null ? null : [.. frame.Cell.SelectMany(v => v)],
        Periodic = [frame.Cell is not null, frame.Cell is not null, frame.Cell is not null],
    };

    /// <summary>Too many atoms for all pairs to be tried.</summary>
    private static Frame Large()
    {
        var random = new Random(7);
        double[] positions = [.. Enumerable.Range(0, 540).SelectMany(i => (double[])[3 * (i % 9), 3 * (i / 9 % 6), 3 * (i / 54)]).Select(x => x + random.NextDouble())];
        return new Frame { AtomicNumbers = [.. Enumerable.Range(0, 540).Select(i => 1 + i % 8)], Positions = positions };
    }

    private static void Same(Tensor actual, Tensor expected, double tolerance) =>
        Expect.Close(actual, expected, absolute: tolerance * Math.Max(1, expected.abs().max().item<double>()));

    private static double[] Numbers(Tensor values) => [.. values.data<double>()];
}
