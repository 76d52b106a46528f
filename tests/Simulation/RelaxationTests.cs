using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class RelaxationTests
{
    [Test]
    public void Fire_relaxes_a_cluster_without_ever_climbing_above_its_start()
    {
        var state = new MolecularState(LennardJones.Cluster(13), LennardJones.Argon);
        var fire = new Fire(new RelaxationCoordinates(state));
        double start = state.PotentialEnergy;
        int steps = 0;
        for (; steps < 2000 && state.MaximumForce > 1e-5; steps++)
        {
            fire.Step();
            Expect.AtMost(state.PotentialEnergy, start);
        }
        Expect.AtMost(state.MaximumForce, 1e-5, $"after {steps} steps");
    }

    [Test]
    public void A_pair_ends_at_the_distance_of_least_energy()
    {
        using var folder = new TemporaryFolder();
        RelaxationSummary summary = Relaxation.Run(
            LennardJones.Argon, LennardJones.Cluster(2),
            new RelaxationOptions { MaximumForce = 1e-7 }, new SimulationFolder(folder["out"]));
        Assert.That(summary.End, Is.EqualTo(SimulationEnd.Converged));
        Frame last = StartFrame.Read(Path.Combine(folder["out"], SimulationFolder.Trajectory) + "@-1");
        double distance = Math.Sqrt(Enumerable.Range(0, 3).Sum(k => Math.Pow(last.Positions[3 + k] - last.Positions[k], 2)));
        Expect.Close(distance, 3.4 * Math.Pow(2, 1.0 / 6), absolute: 1e-5);
        Assert.That(last.Energy, Is.EqualTo(summary.LastEnergy));
        Expect.Below(summary.LastEnergy, summary.FirstEnergy);
        Assert.That(File.ReadAllLines(Path.Combine(folder["out"], SimulationFolder.Relaxation))[^1], Does.StartWith($"{summary.Steps},"));
    }

    [Test]
    public void Bfgs_finds_the_minimum_of_fire_in_fewer_steps()
    {
        using var folder = new TemporaryFolder();
        RelaxationSummary fire = Relaxed(RelaxationOptimizer.Fire), bfgs = Relaxed(RelaxationOptimizer.Bfgs);
        Assert.That(bfgs.End, Is.EqualTo(SimulationEnd.Converged));
        Expect.Close(bfgs.LastEnergy, fire.LastEnergy, absolute: 1e-7);
        Expect.Below(bfgs.Steps, fire.Steps * 0.7);

        RelaxationSummary Relaxed(RelaxationOptimizer optimizer) => Relaxation.Run(LennardJones.Argon, LennardJones.Cluster(4),
            new RelaxationOptions { MaximumForce = 1e-5, Optimizer = optimizer }, new SimulationFolder(folder[$"{optimizer}"]));
    }

    [Test]
    public void Fixed_atoms_stay_and_the_others_relax_about_them()
    {
        using var folder = new TemporaryFolder();
        Frame cluster = LennardJones.Cluster(6), start = cluster with { Positions = [.. cluster.Positions.Select(x => 0.9 * x)], Fixed = [true, true, false, false, false, false] };
        RelaxationSummary summary = Relaxation.Run(LennardJones.Argon, start, new RelaxationOptions { MaximumForce = 1e-5 }, new SimulationFolder(folder["out"]));
        Assert.That(summary.End, Is.EqualTo(SimulationEnd.Converged));
        Frame last = StartFrame.Read(Path.Combine(folder["out"], SimulationFolder.Trajectory) + "@-1");
        foreach (int i in (int[])[0, 1, 2, 3, 4, 5]) Assert.That(last.Positions[i], Is.EqualTo(start.Positions[i]));
        Expect.AllClose(last.Forces![6..], 0, absolute: 1e-5);
        Expect.Above(last.Forces![..3].Max(Math.Abs), 1e-4, "fixed atoms feel forces: labels are those of the surface");
    }

    /// <summary>The minimum over the lattice constant of the perfect crystal, found along that alone.</summary>
    [Test]
    public void A_strained_cell_relaxes_to_the_lattice_of_least_enthalpy(
        [Values] RelaxationOptimizer optimizer, [Values(CellRelaxation.Volume, CellRelaxation.Full)] CellRelaxation cell, [Values(0, 0.5)] double pressure)
    {
        using var folder = new TemporaryFolder();
        Frame perfect = LennardJones.Crystal(2, disorder: 0);
        double low = 0.9, high = 1.05;
        for (int i = 0; i < 60; i++)
        {
            double a = low + 0.382 * (high - low), b = high - 0.382 * (high - low);
            if (Enthalpy(a) < Enthalpy(b)) high = b;
            else low = a;
        }
        double expected = Math.Pow(low, 3) * perfect.Volume;
        bool full = cell == CellRelaxation.Full;
        Frame start = LennardJones.Crystal(2, disorder: 0.03, constant: 5.35, skew: full ? 0.25 : 0);
        RelaxationSummary summary = Relaxation.Run(LennardJones.Argon, start,
            new RelaxationOptions { MaximumForce = 1e-5, Cell = cell, MaximumStress = 1e-4, Pressure = pressure, Optimizer = optimizer, Steps = 600 },
            new SimulationFolder(folder["out"]));
        Assert.That(summary.End, Is.EqualTo(SimulationEnd.Converged));
        Expect.Close(summary.LastVolume, expected, relative: 2e-4);
        Expect.AtMost(summary.MaximumStress, 1e-4);

        double Enthalpy(double factor)
        {
            Frame scaled = perfect with { Positions = [.. perfect.Positions.Select(x => factor * x)], Cell = [.. perfect.Cell!.Select(x => factor * x)] };
            return LennardJones.Argon.Evaluate(scaled).Energy + pressure * MechanicalUnits.Gigapascal * scaled.Volume;
        }
    }

    [Test]
    public void Forces_on_positions_and_cell_are_minus_the_slope_of_the_enthalpy([Values(CellRelaxation.Volume, CellRelaxation.Full)] CellRelaxation cell)
    {
        var state = new MolecularState(LennardJones.Crystal(2, skew: 0.3), LennardJones.Argon, stress: true);
        var x = new RelaxationCoordinates(state, cell, pressure: 0.004);
        int n = state.Positions.Length;
        // Somewhere off the start, with a symmetric deformation.
        for (int k = 0; k < 9; k++) x.Values[n + k] *= k % 4 == 0 ? 1.01 : 1;
        if (cell == CellRelaxation.Full) (x.Values[n + 1], x.Values[n + 3]) = (0.3, 0.3);
        x.Follow();
        double[] forces = [.. x.Forces];
        Check(4, [4]);
        if (cell == CellRelaxation.Full)
        {
            Check(n, [n]);
            Check(n + 1, [n + 1, n + 3]);
        }
        else
        {
            Check(n, [n, n + 4, n + 8]);
        }

        void Check(int at, int[] together)
        {
            const double Step = 1e-4;
            double slope = (Moved(Step) - Moved(-Step)) / (2 * Step);
            Expect.Close(-slope, together.Sum(i => forces[i]), absolute: 1e-7, message: $"{at}");

            double Moved(double by)
            {
                foreach (int i in together) x.Values[i] += by;
                x.Follow();
                double energy = x.Energy;
                foreach (int i in together) x.Values[i] -= by;
                return energy;
            }
        }
    }

    [Test]
    public void What_cannot_be_relaxed_is_refused()
    {
        using var folder = new TemporaryFolder();
        Frame crystal = LennardJones.Crystal(2);
        Refused("no cell", LennardJones.Cluster(3), new RelaxationOptions { Cell = CellRelaxation.Full });
        Refused("fixed atoms", crystal with { Fixed = [true, .. new bool[31]] }, new RelaxationOptions { Cell = CellRelaxation.Volume });
        Refused("every atom is fixed", LennardJones.Cluster(2) with { Fixed = [true, true] }, new RelaxationOptions());
        Assert.That(() => new RelaxationOptions { MaximumStress = 0 }.Validate(), Throws.TypeOf<InputException>());

        void Refused(string reason, Frame start, RelaxationOptions options) => Assert.That(
            () => Relaxation.Run(LennardJones.Argon, start, options, new SimulationFolder(folder["out"])), Throws.TypeOf<InputException>().With.Message.Contains(reason));
    }

    [Test]
    public void A_relaxation_that_runs_out_of_steps_says_so()
    {
        using var folder = new TemporaryFolder();
        RelaxationSummary summary = Relaxation.Run(
            LennardJones.Argon, LennardJones.Cluster(13),
            new RelaxationOptions { Steps = 3, Every = 2 }, new SimulationFolder(folder["out"]));
        Assert.That(summary.End, Is.EqualTo(SimulationEnd.Steps));
        Assert.That(FrameFiles.Read(Path.Combine(folder["out"], SimulationFolder.Trajectory)).Count(), Is.EqualTo(3), "steps 0, 2 and 3");
    }

    [TestCase(0), TestCase(-1), TestCase(double.NaN)]
    public void A_tolerance_that_cannot_be_met_is_refused(double force) =>
        Assert.That(() => new RelaxationOptions { MaximumForce = force }.Validate(), Throws.TypeOf<InputException>());
}
