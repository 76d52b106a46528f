using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class ConstantPressureTests
{
    private const int Atoms = 12;

    /// <summary>Of an ideal gas, V^N e^(-pV/kT): the volume has a gamma distribution, whatever may change of the cell.</summary>
    [TestCase(Barostat.Isotropic), TestCase(Barostat.Anisotropic)]
    public void An_ideal_gas_has_the_distribution_of_volumes_of_its_ensemble(Barostat barostat)
    {
        const int Steps = 600_000, Begin = 4000, Every = 100, Memory = 400;
        double thermal = 300 * MechanicalUnits.Boltzmann, pressure = 2 * MechanicalUnits.Gigapascal, volume = (Atoms + 1) * thermal / pressure, side = Math.Cbrt(volume);
        var state = new MolecularState(Gas(side), new Nothing(), stress: true);
        InitialMomenta.Draw(state, thermal, 3);
        double timestep = 2 * MechanicalUnits.Femtosecond;
        // A gas is as compressible as 1 / p: so long does the volume remember itself.
        var rescaling = new CellRescaling(pressure, thermal, 1 / pressure / (Memory * timestep), barostat == Barostat.Anisotropic);
        var integrator = new LangevinBaoab(timestep, thermal, 1 / (10 * timestep), seed: 4, barostat: rescaling);
        RunningMean mean = new(), square = new(), kinetic = new();
        for (int step = 0; step < Steps; step++)
        {
            integrator.Step(state);
            // What shape the cell wanders to does not matter to a gas; to numbers it does.
            if (step % 1000 == 0) state.Cell = Cube(Math.Cbrt(state.Volume));
            if (step < Begin || step % Every != 0) continue;
            mean.Add(state.Volume / volume);
            square.Add(Math.Pow(state.Volume / volume - 1, 2));
            kinetic.Add(2 * integrator.KineticEnergy / (3 * Atoms * thermal));
        }
        double error = 1 / Math.Sqrt(Atoms + 1) / Math.Sqrt(Steps / (2.0 * Memory));
        Assert.Multiple(() =>
        {
            // One more or less in the exponent would be 1 / 13.
            Expect.Close(mean.Mean, 1, absolute: 4 * error, message: "mean volume");
            Expect.Close(square.Mean * (Atoms + 1), 1, absolute: 0.25, message: "its variance");
            Expect.Close(kinetic.Mean, 1, absolute: 0.01, message: "temperature");
        });
    }

    /// <summary>Nothing of the whole turns, and the shear that a step makes is one of the lattice.</summary>
    [Test]
    public void A_rescaled_cell_keeps_fractional_coordinates_and_does_not_turn()
    {
        var state = new MolecularState(LennardJones.Crystal(2, skew: 0.4), LennardJones.Argon, stress: true);
        InitialMomenta.Draw(state, 0.005, 1);
        double[] before = Fractional(state), momenta = [.. state.Momenta], cell = state.Cell!;
        new CellRescaling(0.01, 0.005, 2, anisotropic: true).Rescale(state, 0.2, new ChemScale.Engine.Numerics.CounterRandom(1, 2));
        Expect.Close(Fractional(state), before, absolute: 1e-12);
        double[] stretch = CellGeometry.Product(CellGeometry.Inverse(cell), state.Cell);
        Expect.Close(stretch, CellGeometry.Transposed(stretch), absolute: 1e-12);
        Expect.Apart(stretch[1], 0, by: 1e-6);
        // Momenta go the other way: p . dr stays.
        double[] moved = [.. Enumerable.Range(0, momenta.Length).Select(i => Enumerable.Range(0, 3).Sum(k => state.Momenta[i / 3 * 3 + k] * stretch[3 * k + i % 3]))];
        Expect.Close(moved, momenta, absolute: 1e-12);

        static double[] Fractional(MolecularState s)
        {
            double[] inverse = CellGeometry.Inverse(s.Cell);
            return [.. Enumerable.Range(0, s.Positions.Length).Select(i => Enumerable.Range(0, 3).Sum(k => s.Positions[i / 3 * 3 + k] * inverse[3 * k + i % 3]))];
        }
    }

    /// <summary>The density of a long run at constant energy comes back at its mean temperature and pressure.</summary>
    [TestCase(Barostat.Isotropic), TestCase(Barostat.Anisotropic), Category("Slow")]
    public void Argon_at_the_pressure_of_a_run_at_constant_energy_has_its_density(Barostat barostat)
    {
        using var folder = new TemporaryFolder();
        Frame start = LennardJones.Crystal(3, constant: 5.35);
        var state = new MolecularState(start, LennardJones.Argon, stress: true);
        InitialMomenta.Draw(state, 90 * MechanicalUnits.Boltzmann, 5);
        InitialMomenta.StopTranslation(state);
        var verlet = new VelocityVerlet(5 * MechanicalUnits.Femtosecond);
        RunningMean pressure = new(), temperature = new();
        for (int step = 0; step < 12_000; step++)
        {
            verlet.Step(state);
            if (step < 2000) continue;
            double[] p = state.Pressure;
            pressure.Add((p[0] + p[4] + p[8]) / 3 / MechanicalUnits.Gigapascal);
            temperature.Add(2 * state.KineticEnergy / (3 * (state.Atoms - 1) * MechanicalUnits.Boltzmann));
        }
        DynamicsSummary summary = MolecularDynamics.Run(LennardJones.Argon, start, new DynamicsOptions
        {
            Ensemble = Ensemble.Npt,
            Barostat = barostat,
            Temperature = temperature.Mean,
            Pressure = pressure.Mean,
            Compressibility = 0.5,
            PressureTime = 1,
            Friction = 2,
            Timestep = 5,
            Steps = 20_000,
            Every = 5000,
        }, new SimulationFolder(folder["npt"]));
        TestContext.Out.WriteLine($"{temperature.Mean:F2} K, {pressure.Mean:F4} GPa: volume {summary.MeanVolume:F1} of {start.Volume:F1} A^3, pressure {summary.MeanPressure:F4}");
        Expect.Close(summary.MeanVolume, start.Volume, relative: 0.01);
        Expect.Close(summary.MeanTemperature, temperature.Mean, relative: 0.01);
        Expect.Close(summary.MeanPressure, pressure.Mean, absolute: 0.01);
    }

    [Test]
    public void A_pressure_needs_a_cell_and_atoms_that_may_move()
    {
        using var folder = new TemporaryFolder();
        var options = new DynamicsOptions { Ensemble = Ensemble.Npt, Steps = 2 };
        Frame crystal = LennardJones.Crystal(2);
        Refused("no cell", LennardJones.Cluster(4));
        Refused("does not repeat in all directions", crystal with { Periodic = [true, true, false] });
        Refused("fixed atoms", crystal with { Fixed = [true, .. new bool[31]] });
        Assert.That(() => (options with { Compressibility = 0 }).Validate(), Throws.TypeOf<InputException>());
        Assert.That(() => MolecularDynamics.Run(LennardJones.Argon, crystal, options with { PressureTime = 1e-6 }, new SimulationFolder(folder["fast"])),
            Throws.TypeOf<SimulationFailedException>().With.Message.Contains("barostat"));

        void Refused(string reason, Frame start) => Assert.That(
            () => MolecularDynamics.Run(LennardJones.Argon, start, options, new SimulationFolder(folder["out"])), Throws.TypeOf<InputException>().With.Message.Contains(reason));
    }

    private static Frame Gas(double side) => new()
    {
        AtomicNumbers = [.. Enumerable.Repeat(18, Atoms)],
        Positions = new double[3 * Atoms],
        Cell = Cube(side),
        Periodic = [true, true, true],
    };

    private static double[] Cube(double side) => [side, 0, 0, 0, side, 0, 0, 0, side];

    private sealed class Nothing : IPotential
    {
        private static readonly double[] None = new double[3 * Atoms], NoStress = new double[9];

        public FramePrediction Evaluate(Frame frame, bool stress = false) => new(0, None, NoStress);
    }
}
