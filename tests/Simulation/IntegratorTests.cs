using ChemScale.Engine.Atoms;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class IntegratorTests
{
    private const double Stiffness = 5, Thermal = 0.03;

    private static readonly Springs Potential = new(Stiffness);

    [Test]
    public void Velocity_Verlet_runs_backwards_to_where_it_came_from()
    {
        MolecularState state = Moving(new MolecularState(LennardJones.Crystal(2), LennardJones.Argon));
        double[] positions = [.. state.Positions], momenta = [.. state.Momenta];
        VelocityVerlet forward = new(2 * MechanicalUnits.Femtosecond), backward = new(-2 * MechanicalUnits.Femtosecond);
        for (int i = 0; i < 50; i++) forward.Step(state);
        Expect.Above(Enumerable.Range(0, positions.Length).Max(i => Math.Abs(state.Positions[i] - positions[i])), 0.01);
        for (int i = 0; i < 50; i++) backward.Step(state);
        Expect.Close(state.Positions, positions, absolute: 1e-11);
        Expect.Close(state.Momenta, momenta, absolute: 1e-11);
    }

    [Test]
    public void The_energy_error_falls_with_the_square_of_the_time_step()
    {
        double coarse = WorstError(0.1), fine = WorstError(0.05);
        Expect.Close(coarse / fine, 4, absolute: 0.05);

        static double WorstError(double timestep)
        {
            MolecularState state = Moving(new MolecularState(Springs.Atoms(4), Potential));
            double start = state.PotentialEnergy + state.KineticEnergy, worst = 0;
            var integrator = new VelocityVerlet(timestep);
            for (int i = 0; i < 40 / timestep; i++)
            {
                integrator.Step(state);
                worst = Math.Max(worst, Math.Abs(state.PotentialEnergy + state.KineticEnergy - start));
            }
            return worst;
        }
    }

    /// <summary>
    /// For a harmonic oscillator BAOAB's positions are distributed exactly at any step; its momenta are colder by (w dt / 2)^2.
    /// </summary>
    [TestCase(0.1), TestCase(1.0)]
    public void Langevin_dynamics_has_the_temperature_of_its_thermostat(double angle)
    {
        const int Steps = 30_000, Oscillators = 3 * 40;
        var state = new MolecularState(Springs.Atoms(40), Potential);
        InitialMomenta.Draw(state, Thermal, 1);
        double frequency = Math.Sqrt(Stiffness / state.Masses[0]);
        // Friction near critical: memory is lost within a period or so.
        var integrator = new LangevinBaoab(angle / frequency, Thermal, friction: frequency, seed: 2);
        RunningMean kinetic = new(), potential = new(), middle = new();
        for (int i = 0; i < Steps; i++)
        {
            integrator.Step(state);
            if (i * angle < 20) continue;
            middle.Add(2 * integrator.KineticEnergy / Oscillators);
            kinetic.Add(2 * state.KineticEnergy / Oscillators);
            potential.Add(2 * state.PotentialEnergy / Oscillators);
        }
        // An energy's relative deviation is sqrt(2) an oscillator; samples within some three radians count as one.
        double error = Math.Sqrt(2.0 / Oscillators / (Steps * angle / 3));
        Assert.Multiple(() =>
        {
            Expect.Close(potential.Mean / Thermal, 1, absolute: 4 * error);
            Expect.Close(kinetic.Mean / Thermal, 1 - angle * angle / 4, absolute: 4 * error);
            Expect.Close(middle.Mean / Thermal, 1, absolute: 4 * error, message: "of the middle of steps, which is what is reported");
        });
    }

    /// <summary>Kolmogorov and Smirnov's test of p / sqrt(m k T) in the middle of the steps, of a crystal whose forces are far from harmonic, at a long time step.</summary>
    [TestCase(5.0), TestCase(25.0)]
    public void Momenta_of_langevin_dynamics_have_the_Maxwell_distribution(double femtoseconds)
    {
        double thermal = 60 * MechanicalUnits.Boltzmann, timestep = femtoseconds * MechanicalUnits.Femtosecond;
        var state = new MolecularState(LennardJones.Crystal(2), LennardJones.Argon);
        var integrator = new LangevinBaoab(timestep, thermal, 0.2 / timestep, seed: 9);
        List<double> seen = [];
        for (int step = 0; step < 800; step++)
        {
            integrator.Begin(state);
            // The noise has exchanged nine tenths of the momenta by the next.
            if (step > 100 && step % 12 == 0) seen.AddRange(state.Momenta.Select((p, i) => p / Math.Sqrt(state.Masses[i / 3] * thermal)));
            state.Evaluate();
            integrator.End(state);
        }
        seen.Sort();
        double worst = seen.Select((x, i) => Math.Max(Math.Abs(Normal(x) - (double)i / seen.Count), Math.Abs(Normal(x) - (i + 1.0) / seen.Count))).Max();
        // The thousandth part of samples is further off.
        Expect.Below(worst, 1.95 / Math.Sqrt(seen.Count));
        double heated = seen.Select((x, i) => Math.Abs(Normal(1.03 * x) - (double)i / seen.Count)).Max();
        Expect.Above(heated + 1e-3, worst, "a wrong temperature fits worse");

        // Abramowitz and Stegun 26.2.17, to 1e-7.
        static double Normal(double x)
        {
            double t = 1 / (1 + 0.2316419 * Math.Abs(x));
            double tail = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)
                * t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
            return x > 0 ? 1 - tail : tail;
        }
    }

    [TestCase(Ensemble.Nve), TestCase(Ensemble.Langevin)]
    public void Fixed_atoms_stay_where_they_are_and_count_for_nothing(Ensemble ensemble)
    {
        using var folder = new TemporaryFolder();
        Frame start = LennardJones.Crystal(2) with { Fixed = [.. Enumerable.Range(0, 32).Select(i => i % 4 == 0)] };
        DynamicsSummary summary = MolecularDynamics.Run(LennardJones.Argon, start,
            new DynamicsOptions { Ensemble = ensemble, Steps = 100, Timestep = 4, Temperature = 60 }, new SimulationFolder(folder["out"]));
        Assert.That(summary.DegreesOfFreedom, Is.EqualTo(3 * 24));
        Frame last = StartFrame.Read(Path.Combine(folder["out"], SimulationFolder.Trajectory) + "@-1");
        for (int i = 0; i < 32; i++)
        {
            bool stayed = Enumerable.Range(3 * i, 3).All(k => last.Positions[k] == start.Positions[k]);
            Assert.That(stayed, Is.EqualTo(i % 4 == 0), $"atom {i}");
        }
        Assert.That(last.Fixed, Is.EqualTo(start.Fixed), "who goes on from here holds them too");
        if (ensemble == Ensemble.Nve) Expect.Close(summary.LastTotalEnergy, summary.FirstTotalEnergy, absolute: 1e-3);
    }

    [Test]
    public void Langevin_dynamics_is_decided_by_its_seed()
    {
        double[] first = Run(7), again = Run(7), other = Run(8);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));

        static double[] Run(long seed)
        {
            var state = new MolecularState(LennardJones.Crystal(2), LennardJones.Argon);
            InitialMomenta.Draw(state, Thermal, seed);
            var integrator = new LangevinBaoab(0.2, Thermal, 0.1, seed);
            for (int i = 0; i < 20; i++) integrator.Step(state);
            return [.. state.Positions, .. state.Momenta];
        }
    }

    [Test]
    public void First_momenta_have_the_temperature_and_no_motion_of_the_whole()
    {
        const int Atoms = 5000;
        var many = new MolecularState(Springs.Atoms(Atoms), Potential);
        InitialMomenta.Draw(many, Thermal, 4);
        Expect.Close(2 * many.KineticEnergy / (3 * Atoms) / Thermal, 1, absolute: 4 * Math.Sqrt(2.0 / (3 * Atoms)));

        var few = new MolecularState(LennardJones.Cluster(5), LennardJones.Argon);
        InitialMomenta.Draw(few, Thermal, 4);
        Expect.Above(Total(few).Max(Math.Abs), 0.1);
        Assert.That(InitialMomenta.StopTranslation(few), Is.EqualTo(3));
        Expect.Above(Angular(few).Max(Math.Abs), 0.1);
        Assert.That(InitialMomenta.StopRotation(few), Is.EqualTo(3));
        Expect.AllClose(Total(few), 0, absolute: 1e-12);
        Expect.AllClose(Angular(few), 0, absolute: 1e-12);
    }

    [TestCase(1, 0), TestCase(2, 2)]
    public void Atoms_on_a_line_do_not_turn_about_it(int atoms, int stopped)
    {
        var state = new MolecularState(LennardJones.Cluster(atoms), LennardJones.Argon);
        InitialMomenta.Draw(state, Thermal, 4);
        InitialMomenta.StopTranslation(state);
        Assert.That(InitialMomenta.StopRotation(state), Is.EqualTo(stopped));
        Expect.AllClose(Angular(state), 0, absolute: 1e-12);
        if (atoms == 1) Expect.Close(state.KineticEnergy, 0, absolute: 1e-20);
        else Expect.Above(state.KineticEnergy, 1e-4);
    }

    private static MolecularState Moving(MolecularState state)
    {
        InitialMomenta.Draw(state, Thermal, 11);
        return state;
    }

    private static double[] Total(MolecularState state) =>
        [.. Enumerable.Range(0, 3).Select(k => Enumerable.Range(0, state.Atoms).Sum(i => state.Momenta[3 * i + k]))];

    private static double[] Angular(MolecularState state)
    {
        double[] r = state.Positions, p = state.Momenta;
        return [Sum(1, 2), Sum(2, 0), Sum(0, 1)];

        double Sum(int b, int c) => Enumerable.Range(0, state.Atoms).Sum(i => r[3 * i + b] * p[3 * i + c] - r[3 * i + c] * p[3 * i + b]);
    }
}
