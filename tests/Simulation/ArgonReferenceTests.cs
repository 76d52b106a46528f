using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

/// <summary>Against a trajectory of ASE's velocity Verlet on ASE's Lennard-Jones argon.</summary>
[Category("Data")]
public sealed class ArgonReferenceTests
{
    private NpzFile file = null!;
    private LennardJones potential = null!;

    [OneTimeSetUp]
    public void Read()
    {
        file = new NpzFile(ReferenceData.Require("fixtures/argon_lj_nve.npz"));
        potential = new LennardJones(Number("sigma"), Number("epsilon"), Number("rc"));
    }

    [Test]
    public void Velocity_Verlet_repeats_the_reference_trajectory()
    {
        double[] positions = file.Doubles("pos"), momenta = file.Doubles("momenta"), forces = file.Doubles("F");
        double[] energies = file.Doubles("E"), kinetic = file.Doubles("ekin");
        var state = new MolecularState(Snapshot(0), potential, file.Doubles("masses"));
        momenta.AsSpan(0, state.Momenta.Length).CopyTo(state.Momenta);
        var integrator = new VelocityVerlet(Number("dt"));
        int numbers = state.Positions.Length;
        for (int snapshot = 0; snapshot < energies.Length; snapshot++)
        {
            for (int step = 0; snapshot > 0 && step < 5; step++) integrator.Step(state);
            Range range = (snapshot * numbers)..((snapshot + 1) * numbers);
            Assert.Multiple(() =>
            {
                Expect.Close(state.Positions, positions[range], absolute: 1e-9, message: "positions");
                Expect.Close(state.Momenta, momenta[range], absolute: 1e-9, message: "momenta");
                Expect.Close(state.Forces, forces[range], absolute: 1e-9, message: "forces");
                Expect.Close(state.PotentialEnergy, energies[snapshot], absolute: 1e-9, message: "energy");
                Expect.Close(state.KineticEnergy, kinetic[snapshot], absolute: 1e-9, message: "kinetic energy");
            });
        }
    }

    [Test]
    public void Stress_has_the_sign_of_the_reference()
    {
        double[] voigt = file.Doubles("stress_voigt")[..6];
        FramePrediction prediction = potential.Evaluate(Snapshot(0), stress: true);
        double[] s = prediction.Stress!;
        Expect.Close(new[] { s[0], s[4], s[8], s[5], s[2], s[1] }, voigt, absolute: 1e-11);
    }

    /// <summary>The file's constants are of CODATA 2014; those of 2018 differ in the eighth digit, k in the seventh.</summary>
    [Test]
    public void Units_of_time_and_temperature_are_those_of_the_reference()
    {
        Expect.Close(MechanicalUnits.Femtosecond, Number("fs"), relative: 2e-8);
        Expect.Close(MechanicalUnits.Boltzmann, Number("kB"), relative: 1e-6);
        Expect.Close(Number("dt"), 5 * MechanicalUnits.Femtosecond, absolute: 1e-7);
    }

    private double Number(string name) => file.Doubles(name).Single();

    private Frame Snapshot(int index)
    {
        int[] numbers = file.Ints("Z");
        return new Frame
        {
            AtomicNumbers = numbers,
            Positions = file.Doubles("pos")[(3 * numbers.Length * index)..(3 * numbers.Length * (index + 1))],
            Cell = file.Doubles("cell"),
            Periodic = [true, true, true],
        };
    }
}
