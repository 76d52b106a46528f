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
        var fire = new Fire(state);
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
