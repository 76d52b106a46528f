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
        RunningMean kinetic = new(), potential = new();
        for (int i = 0; i < Steps; i++)
        {
            integrator.Step(state);
            if (i * angle < 20) continue;
            kinetic.Add(2 * state.KineticEnergy / Oscillators);
            potential.Add(2 * state.PotentialEnergy / Oscillators);
        }
        // An energy's relative deviation is sqrt(2) an oscillator; samples within some three radians count as one.
        double error = Math.Sqrt(2.0 / Oscillators / (Steps * angle / 3));
        Assert.Multiple(() =>
        {
            Expect.Close(potential.Mean / Thermal, 1, absolute: 4 * error);
            Expect.Close(kinetic.Mean / Thermal, 1 - angle * angle / 4, absolute: 4 * error);
        });
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
