using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class VibrationsTests
{
    /// <summary>Bonds of carbon dioxide along its line: both stretches in closed form.</summary>
    [Test]
    public void A_line_of_three_atoms_has_the_wavenumbers_of_its_springs()
    {
        const double Stiffness = 90;
        var frame = new Frame { AtomicNumbers = [8, 6, 8], Positions = [-1.16, 0, 0, 0, 0, 0, 1.16, 0, 0] };
        Vibrations v = Vibrations.Of(new Bonds(Stiffness, 1.16, (0, 1), (1, 2)), frame, step: 1e-3);
        double oxygen = AtomicMasses.Of([8])[0], carbon = AtomicMasses.Of([6])[0];
        double symmetric = Wavenumber(Stiffness / oxygen), antisymmetric = Wavenumber(Stiffness * (1 / oxygen + 2 / carbon));
        Expect.Close(v.Wavenumbers[^2..], [symmetric, antisymmetric], relative: 1e-5);
        Expect.AllClose(v.Wavenumbers[..7], 0, absolute: 5, message: "nothing else is bound: bends are free here");
        Expect.Below(v.Asymmetry, 1e-6);
        double[] mode = v.Modes[^9..];
        Expect.Close(mode[3] / mode[0], -2 * oxygen / carbon, absolute: 1e-4, message: "the carbon goes against both oxygens");
        Expect.Close(mode.Sum(x => x * x), 1, absolute: 1e-12);
        Assert.That(v.Atoms, Is.EqualTo(new[] { 0, 1, 2 }));
    }

    [Test]
    public void Atoms_that_are_fixed_are_left_out()
    {
        var frame = new Frame { AtomicNumbers = [6, 1], Positions = [0, 0, 0, 1.1, 0, 0], Fixed = [true, false] };
        Vibrations v = Vibrations.Of(new Bonds(30, 1.1, (0, 1)), frame, step: 1e-3);
        Assert.That(v.Wavenumbers, Has.Length.EqualTo(3));
        Expect.Close(v.Wavenumbers[2], Wavenumber(30 / AtomicMasses.Of([1])[0]), relative: 1e-5);
        Assert.That(() => Vibrations.Of(new Bonds(30, 1.1, (0, 1)), frame with { Fixed = [true, true] }), Throws.TypeOf<InputException>());
        Assert.That(() => Vibrations.Of(new Bonds(30, 1.1, (0, 1)), frame, step: 0), Throws.TypeOf<InputException>());
    }

    /// <summary>
    /// Entropies measured by spectroscopy, at 298.15 K and 1 bar (Cox, Wagman, Medvedev, CODATA Key Values for Thermodynamics (1989)), J/(mol K); harmonic
    /// wavenumbers and bond length of the ground states as in Huber and Herzberg (1979).
    /// </summary>
    [TestCase(7, 7, 1.0977, 2358.6, 2, 0, 191.609), TestCase(8, 8, 1.2075, 1580.2, 2, 2, 205.152), TestCase(1, 17, 1.2746, 2990.9, 1, 0, 186.902),
        TestCase(6, 8, 1.1283, 2169.8, 1, 0, 197.660)]
    public void Entropies_of_diatomic_gases_are_the_measured_ones(int a, int b, double length, double wavenumber, int symmetry, int unpaired, double measured)
    {
        double[] masses = AtomicMasses.Of([a, b]);
        double reduced = masses[0] * masses[1] / (masses[0] + masses[1]), stiffness = reduced * Math.Pow(wavenumber / Wavenumber(1), 2);
        var frame = new Frame { AtomicNumbers = [a, b], Positions = [0.3, 0, 0, 0.3, 0, length] };
        Vibrations v = Vibrations.Of(new Bonds(stiffness, length, (0, 1)), frame, step: 1e-3);
        IdealGasThermochemistry gas = IdealGasThermochemistry.Of(v, frame, 298.15, 1e5, symmetry, unpaired);
        Assert.That(gas.IsLinear);
        Expect.Close(gas.Wavenumbers, [wavenumber], relative: 1e-5);
        Expect.Close(gas.Entropy / (PhysicalConstants.Codata2018.KilojoulePerMole / 1000), measured, absolute: 0.2);
        Expect.Close(gas.ZeroPointEnergy, wavenumber / 8065.544 / 2, relative: 1e-5);
        // Five halves of translation with p V, one of rotation, and at room temperature hardly any vibration.
        Expect.Close(gas.Enthalpy - gas.ZeroPointEnergy, 3.5 * MechanicalUnits.Boltzmann * 298.15, absolute: 3e-4);
        Expect.Close(gas.FreeEnergy, gas.Enthalpy - 298.15 * gas.Entropy, absolute: 1e-12);
    }

    /// <summary>Sackur and Tetrode: argon, 154.846 J/(mol K).</summary>
    [Test]
    public void A_gas_of_atoms_has_the_entropy_of_translation_alone()
    {
        var frame = new Frame { AtomicNumbers = [18], Positions = [1, 2, 3] };
        IdealGasThermochemistry gas = IdealGasThermochemistry.Of(Vibrations.Of(new Bonds(1, 1), frame), frame, 298.15, 1e5);
        Expect.Close(gas.Entropy / (PhysicalConstants.Codata2018.KilojoulePerMole / 1000), 154.846, absolute: 0.01);
        Expect.Close(gas.Enthalpy, 2.5 * MechanicalUnits.Boltzmann * 298.15, relative: 1e-12);
        Assert.That(gas.Wavenumbers, Is.Empty);
    }

    [Test]
    public void What_is_no_molecule_at_a_minimum_is_said()
    {
        var frame = new Frame { AtomicNumbers = [18, 18], Positions = [0, 0, 0, 4.5, 0, 0] };
        Vibrations v = Vibrations.Of(LennardJones.Argon, frame);
        Assert.That(IdealGasThermochemistry.Of(v, frame).ImaginaryModes, Is.EqualTo(1), "beyond the turning point of the curve");
        Expect.Above(v.MaximumForce, 1e-3);
        Assert.That(() => IdealGasThermochemistry.Of(v, frame, temperature: 0), Throws.TypeOf<InputException>());
        Assert.That(() => IdealGasThermochemistry.Of(v, frame, symmetryNumber: 0), Throws.TypeOf<InputException>());
        Frame crystal = LennardJones.Crystal(1);
        Assert.That(() => IdealGasThermochemistry.Of(Vibrations.Of(LennardJones.Argon, crystal), crystal), Throws.TypeOf<InputException>().With.Message.Contains("periodic"));
    }

    /// <summary>With the real ASE; skipped where there is none.</summary>
    [Test, Category("Python")]
    public void A_relaxed_cluster_has_ASE_s_energy_wavenumbers_and_free_energy()
    {
        using var folder = new TemporaryFolder();
        Frame start = LennardJones.Cluster(4);
        using (var writer = new StreamWriter(folder["start.extxyz"])) new ChemScale.Engine.Atoms.Formats.ExtXyz.ExtXyzWriter(writer).Write(start);
        ChemScale.Tests.Cli.Outcome outcome = Python.Start("ase_vibrations.py", folder["start.extxyz"], folder["ase.json"]).Wait();
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        using JsonDocument ase = JsonDocument.Parse(File.ReadAllText(folder["ase.json"]));
        RelaxationSummary relaxed = Relaxation.Run(LennardJones.Argon, start,
            new RelaxationOptions { Optimizer = RelaxationOptimizer.Bfgs, MaximumForce = 1e-6 }, new SimulationFolder(folder["relaxed"]));
        Expect.Close(relaxed.LastEnergy, ase.RootElement.GetProperty("energy").GetDouble(), absolute: 1e-9);
        Expect.AtMost(relaxed.Steps, ase.RootElement.GetProperty("steps").GetInt64() * 1.2);
        Frame frame = start with { Positions = [.. ase.RootElement.GetProperty("positions").EnumerateArray().Select(x => x.GetDouble())] };
        Vibrations v = Vibrations.Of(LennardJones.Argon, frame);
        Expect.Close(v.Wavenumbers[6..], ase.RootElement.GetProperty("wavenumbers").EnumerateArray().Select(x => x.GetDouble()).Skip(6), absolute: 1e-3);
        IdealGasThermochemistry gas = IdealGasThermochemistry.Of(v, frame, 120, 101325, symmetryNumber: 12);
        Expect.Close(gas.Enthalpy, ase.RootElement.GetProperty("enthalpy").GetDouble(), absolute: 1e-6);
        // ASE's argon weighs 39.948, ours 39.95.
        Expect.Close(gas.Entropy, ase.RootElement.GetProperty("entropy").GetDouble(), absolute: 5e-8);
        Expect.Close(gas.FreeEnergy, ase.RootElement.GetProperty("gibbs").GetDouble(), absolute: 6e-6);
    }

    /// <summary>1/cm of an eigenvalue in eV/A^2/amu, by way of SI units.</summary>
    private static double Wavenumber(double eigenvalue) => Math.Sqrt(eigenvalue * 1.602176634e-19 / 1e-20 / 1.66053906660e-27) / (2 * Math.PI * 2.99792458e10);

    /// <summary>Half k (r - r0)^2 over bonds.</summary>
    private sealed class Bonds(double stiffness, double length, params (int A, int B)[] bonds) : IPotential
    {
        public FramePrediction Evaluate(Frame frame, bool stress = false)
        {
            double energy = 0;
            double[] forces = new double[3 * frame.Atoms];
            foreach ((int a, int b) in bonds)
            {
                double[] v = [.. Enumerable.Range(0, 3).Select(k => frame.Positions[3 * b + k] - frame.Positions[3 * a + k])];
                double r = Math.Sqrt(v.Sum(x => x * x));
                energy += stiffness / 2 * (r - length) * (r - length);
                for (int k = 0; k < 3; k++)
                {
                    forces[3 * a + k] += stiffness * (r - length) * v[k] / r;
                    forces[3 * b + k] -= stiffness * (r - length) * v[k] / r;
                }
            }
            return new FramePrediction(energy, forces, null);
        }
    }
}
