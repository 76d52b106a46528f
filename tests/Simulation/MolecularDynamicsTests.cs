using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class MolecularDynamicsTests
{
    private static readonly DynamicsOptions Short = new() { Steps = 25, Every = 10, Timestep = 2, Temperature = 40, Seed = 3 };

    private TemporaryFolder folder = null!;

    private string Trajectory => Path.Combine(folder["out"], SimulationFolder.Trajectory);

    private string Thermo => Path.Combine(folder["out"], SimulationFolder.Thermo);

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Files_tell_the_same_as_the_summary()
    {
        DynamicsSummary summary = Run(Short);
        CsvTable thermo = CsvTable.Read(Thermo);
        Frame[] frames = [.. FrameFiles.Read(Trajectory)];
        double[] Column(string name) =>
            [.. Enumerable.Range(0, thermo.RowCount).Select(row => thermo.Number(row, thermo.Column(name))!.Value)];
        Assert.Multiple(() =>
        {
            Assert.That(Column("step"), Is.EqualTo(new[] { 0.0, 10, 20, 25 }));
            Assert.That(Column("time_fs"), Is.EqualTo(new[] { 0.0, 20, 40, 50 }));
            Assert.That(frames.Select(f => f.Energy), Is.EqualTo(Column("potential_eV")));
            Assert.That(Column("total_eV")[^1], Is.EqualTo(summary.LastTotalEnergy));
            Assert.That(summary.End, Is.EqualTo(SimulationEnd.Steps));
            Assert.That(summary.DegreesOfFreedom, Is.EqualTo(3 * 32 - 3));
            Assert.That(summary.DriftMeVPerAtomPerPs, Is.Not.Null);
            Assert.That(frames[^1].Cell, Is.EqualTo(LennardJones.Crystal(2).Cell));
            Assert.That(frames[^1].HasForces);
        });
        double expected = 2 * Column("kinetic_eV")[1] / (93 * MechanicalUnits.Boltzmann);
        Expect.Close(Column("temperature_K")[1], expected, absolute: 1e-9);
        using JsonDocument written = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["out"], SimulationFolder.Summary)));
        Assert.That(written.RootElement.GetProperty("lastTotalEnergy").GetDouble(), Is.EqualTo(summary.LastTotalEnergy));
        Assert.That(written.RootElement.GetProperty("ensemble").GetString(), Is.EqualTo("nve"));
    }

    [Test]
    public void Energy_is_kept_and_momentum_stays_nothing()
    {
        DynamicsSummary summary = Run(Short with { Steps = 400 });
        Expect.Close(summary.LastTotalEnergy, summary.FirstTotalEnergy, absolute: 1e-4);
        Expect.Below(summary.FluctuationMeVPerAtom, 0.01);
        double[] momentum = new double[3];
        foreach (string line in File.ReadLines(Trajectory).TakeLast(32))
        {
            double[] words = [.. line.Split(' ')[1..].Select(double.Parse)];
            for (int k = 0; k < 3; k++) momentum[k] += words[6 + k];
        }
        Expect.AllClose(momentum, 0, absolute: 1e-11);
    }

    [TestCase(Ensemble.Nve), TestCase(Ensemble.Langevin)]
    public void The_same_seed_writes_the_same_files(Ensemble ensemble)
    {
        Run(Short with { Ensemble = ensemble });
        byte[] first = File.ReadAllBytes(Trajectory);
        Run(Short with { Ensemble = ensemble }, overwrite: true);
        Assert.That(File.ReadAllBytes(Trajectory), Is.EqualTo(first));
        Run(Short with { Ensemble = ensemble, Seed = 4 }, overwrite: true);
        Assert.That(File.ReadAllBytes(Trajectory), Is.Not.EqualTo(first));
    }

    [Test]
    public void A_free_molecule_does_not_turn_and_counts_so()
    {
        DynamicsSummary summary = Run(Short, start: LennardJones.Cluster(5));
        Assert.That(summary.DegreesOfFreedom, Is.EqualTo(3 * 5 - 6));
    }

    [Test]
    public void A_stop_leaves_complete_files()
    {
        using var stop = new CancellationTokenSource();
        var progress = new Watcher(p =>
        {
            if (p.Step == 12) stop.Cancel();
        });
        DynamicsSummary summary = MolecularDynamics.Run(
            LennardJones.Argon, LennardJones.Crystal(2), Short, new SimulationFolder(folder["out"]), progress, stop.Token);
        Assert.That(summary.End, Is.EqualTo(SimulationEnd.Stopped));
        Assert.That(summary.Steps, Is.EqualTo(12));
        Assert.That(FrameFiles.Read(Trajectory).Count(), Is.EqualTo(2));
        Assert.That(File.Exists(Path.Combine(folder["out"], SimulationFolder.Summary)));
    }

    [Test]
    public void Frames_are_on_disk_while_the_simulation_goes_on()
    {
        int seen = -1;
        var progress = new Watcher(p =>
        {
            if (p.Step == 21) seen = File.ReadAllLines(Thermo).Length;
        });
        MolecularDynamics.Run(LennardJones.Argon, LennardJones.Crystal(2), Short, new SimulationFolder(folder["out"]), progress);
        Assert.That(seen, Is.EqualTo(1 + 3));
    }

    [Test]
    public void A_simulation_that_blows_up_fails_naming_step_and_time_and_keeps_what_was_good()
    {
        Failing(_ => new FramePrediction(double.NaN, new double[3 * 32], null), "NaN");
        Failing(f => LennardJones.Argon.Evaluate(f) with { Forces = [.. Enumerable.Repeat(double.PositiveInfinity, 3 * 32)] }, "force");
        Failing(f => LennardJones.Argon.Evaluate(f) with { Forces = [.. Enumerable.Repeat(1e3, 3 * 32)] }, "temperature");
        Failing(_ => throw new InputException("frame", "atoms 1 and 2 at one point", "atoms apart"), "at one point");

        void Failing(Func<Frame, FramePrediction> late, string reason)
        {
            var potential = new Changing(13, late);
            SimulationFailedException e = Assert.Throws<SimulationFailedException>(() => MolecularDynamics.Run(
                potential, LennardJones.Crystal(2), Short, new SimulationFolder(folder["out"], overwrite: true)))!;
            Assert.That(e.Message, Does.Contain(reason).And.Contain("step 13").And.Contain("26 fs"));
            Assert.That(FrameFiles.Read(Trajectory).Count(), Is.EqualTo(2));
            Assert.That(File.ReadAllText(Trajectory), Does.Not.Contain("NaN"));
            Assert.That(File.Exists(Path.Combine(folder["out"], SimulationFolder.Summary)), Is.False);
        }
    }

    [Test]
    public void A_simulation_is_replaced_only_on_demand()
    {
        Run(Short);
        Assert.That(() => Run(Short), Throws.TypeOf<InputException>().With.Message.Contains("`overwrite`"));
        Run(Short with { Steps = 5 }, overwrite: true);
        Assert.That(FrameFiles.Read(Trajectory).Count(), Is.EqualTo(2));
    }

    [Test]
    public void Memory_does_not_grow_with_steps()
    {
        DynamicsOptions options = Short with { Every = 1_000_000 };
        IPotential potential = new Springs(1);
        Frame start = Springs.Atoms(3);
        // What is made once stays.
        Kept(10);
        long few = Kept(1000), many = Kept(100_000);
        // The process has other things alive, some kilobytes more or less; what a step leaves would be eight bytes at least.
        Expect.Between((many - few) / 99_000.0, -8, 4, "bytes alive at the end, a step");

        long Kept(long steps)
        {
            long alive = 0;
            var progress = new Watcher(p =>
            {
                if (p.Step == steps) alive = GC.GetTotalMemory(forceFullCollection: true);
            });
            var place = new SimulationFolder(folder["out"], overwrite: true);
            MolecularDynamics.Run(potential, start, options with { Steps = steps }, place, progress);
            return alive;
        }
    }

    [Test]
    public void What_may_mean_nothing_is_doubted()
    {
        Frame near = Springs.Atoms(20), far = near with { Positions = [.. near.Positions.Select(x => 20 * x)] };
        Assert.That(Warnings(new Springs(1), near, new()), Is.Empty);
        Assert.That(Warnings(new Springs(1), far, new()), Has.Exactly(1).Contains("where 40 K were asked for"));
        Assert.That(Warnings(new Springs(1), far, new() { Ensemble = Ensemble.Langevin }), Has.Exactly(1).Contains("where 40 K were asked for"));
        Assert.That(Warnings(new Springs(1), far with { Momenta = [.. Enumerable.Repeat(0.1, 60)] }, new()), Has.Exactly(1).Contains("were at the start"));
        Assert.That(Warnings(new Springs(20), far, new() { Temperature = 5000 }), Has.Exactly(1).Contains("eV/A at the start"));
        Assert.That(Warnings(new Whirl(), near, new() { Timestep = 2 }), Has.Some.Contains("drifts"));

        IReadOnlyList<string> Warnings(IPotential potential, Frame start, DynamicsOptions o)
        {
            o = o with { Steps = 400, MaximumTemperature = 1e9, Temperature = o.Temperature < 1000 ? 40 : o.Temperature, Friction = 1 };
            return MolecularDynamics.Run(potential, start, o, new SimulationFolder(folder["doubts"], overwrite: true)).Warnings;
        }
    }

    private static readonly DynamicsOptions[] Impossible =
    [
        new() { Timestep = 0 }, new() { Timestep = double.NaN }, new() { Steps = 0 }, new() { Every = 0 }, new() { Temperature = -1 },
        new() { Friction = 0 }, new() { MaximumTemperature = 200 },
    ];

    [TestCaseSource(nameof(Impossible))]
    public void Options_out_of_range_are_refused(DynamicsOptions options) =>
        Assert.That(() => Run(options), Throws.TypeOf<InputException>());

    private DynamicsSummary Run(DynamicsOptions options, bool overwrite = false, Frame? start = null) => MolecularDynamics.Run(
        LennardJones.Argon, start ?? LennardJones.Crystal(2), options, new SimulationFolder(folder["out"], overwrite));

    /// <summary>Forces that are no energy's: they turn, and drive what turns with them.</summary>
    private sealed class Whirl : IPotential
    {
        public FramePrediction Evaluate(Frame frame, bool stress = false)
        {
            FramePrediction springs = new Springs(1).Evaluate(frame);
            for (int i = 0; i < frame.Positions.Length; i += 3)
            {
                springs.Forces[i] += 0.2 * frame.Positions[i + 1];
                springs.Forces[i + 1] -= 0.2 * frame.Positions[i];
            }
            return springs;
        }
    }

    private sealed class Watcher(Action<SimulationProgress> see) : IProgress<SimulationProgress>
    {
        public void Report(SimulationProgress value) => see(value);
    }

    /// <summary>Argon until some step, then something else.</summary>
    private sealed class Changing(int step, Func<Frame, FramePrediction> late) : IPotential
    {
        private int calls;

        public FramePrediction Evaluate(Frame frame, bool stress = false) =>
            calls++ < step ? LennardJones.Argon.Evaluate(frame) : late(frame);
    }
}
