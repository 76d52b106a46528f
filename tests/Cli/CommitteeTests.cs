using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Tests.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Several models of the same data: their mean, and how far they are apart.</summary>
public sealed class CommitteeTests
{
    [Test]
    public void A_committee_is_the_mean_of_its_members_with_their_spread()
    {
        Frame frame = LennardJones.Crystal(2);
        IPotential a = LennardJones.Argon, b = new LennardJones(3.3, 0.012, 7.5);
        FramePrediction first = a.Evaluate(frame, stress: true), second = b.Evaluate(frame, stress: true);
        FramePrediction both = new CommitteePotential([a, b]).Evaluate(frame, stress: true);
        Expect.Close(both.Energy, (first.Energy + second.Energy) / 2, absolute: 1e-12);
        Expect.Close(both.Forces, first.Forces.Zip(second.Forces, (x, y) => (x + y) / 2), absolute: 1e-12);
        Expect.Close(both.Stress, first.Stress!.Zip(second.Stress!, (x, y) => (x + y) / 2), absolute: 1e-15);
        Expect.Close(both.EnergySpread, Math.Abs(first.Energy - second.Energy) / 2, absolute: 1e-12);
        double[] halves = [.. first.Forces.Zip(second.Forces, (x, y) => (x - y) / 2)];
        Expect.Close(both.ForceSpreads, Enumerable.Range(0, 32).Select(i => Math.Sqrt(halves[(3 * i)..(3 * i + 3)].Sum(x => x * x))), absolute: 1e-12);
        Assert.That(first.ForceSpreads, Is.Null);
    }

    [Test]
    public void A_dynamics_ends_where_the_members_are_too_far_apart_and_writes_that_frame()
    {
        using var folder = new TemporaryFolder();
        var committee = new CommitteePotential([LennardJones.Argon, new LennardJones(3.4, 0.0105, 7.5)]);
        var options = new DynamicsOptions { Steps = 500, Every = 100, Timestep = 4, Temperature = 200, StopAbove = 0.002 };
        DynamicsSummary summary = MolecularDynamics.Run(committee, LennardJones.Crystal(2, disorder: 0), options, new SimulationFolder(folder["out"]));
        Assert.That(summary.End, Is.EqualTo(SimulationEnd.Uncertain));
        Expect.Between(summary.Steps, 1, 499);
        Expect.Above(summary.LastForceSpread, 0.002);
        Frame last = StartFrame.Read(Path.Combine(folder["out"], SimulationFolder.Trajectory) + "@-1");
        Expect.Close(committee.Evaluate(last).ForceSpreads!.Max(), summary.LastForceSpread, absolute: 1e-12);
    }

    [Test]
    public void A_committee_is_trained_predicts_with_spreads_and_stops_a_simulation()
    {
        using var trained = new TrainedRun();
        string committee = trained["committee"];
        string[] train =
        [
            "train", "--model", "painn", "--out", committee, "--committee", "2", "--steps", "2", "--features", "8", "--interactions", "1", "--limit", "10", "--threads", "1",
        ];
        Run(train);
        Run([.. train, "--resume"]);
        string[] members = [.. TrainedForceField.Members(committee)];
        Assert.That(members.Select(Path.GetFileName), Is.EqualTo(new[] { "member-00", "member-01" }));
        string frames = trained.Write("ethanol.xyz", new Frame { AtomicNumbers = [8, 1, 1], Positions = [0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0] });

        Run("predict", "--run", committee, "--frames", frames, "--out", trained["both.extxyz"]);
        Frame both = FrameFiles.Read(trained["both.extxyz"]).Single();
        double[] energies = [.. members.Select((member, i) =>
        {
            Run("predict", "--run", member, "--frames", frames, "--out", trained[$"one{i}.extxyz"]);
            return FrameFiles.Read(trained[$"one{i}.extxyz"]).Single().Energy!.Value;
        })];
        Expect.Close(both.Energy, energies.Average(), absolute: 1e-9);
        Expect.Apart(energies[0], energies[1], by: 1e-9);
        Assert.That(File.ReadAllText(trained["both.extxyz"]), Does.Contain("force_spread:R:1").And.Contain("energy_spread=").And.Contain("max_force_spread="));
        Assert.That(File.ReadAllText(trained["one0.extxyz"]), Does.Not.Contain("spread"));

        Outcome stopped = Run("simulate", "--run", committee, "--frame", frames, "--out", trained["stopped"], "--stop-above", "1e-9");
        Assert.That(stopped.Output, Does.Contain("UNCERTAIN"));
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(trained["stopped"], SimulationFolder.Summary)));
        Assert.That(summary.RootElement.GetProperty("end").GetString(), Is.EqualTo("uncertain"));

        BadInputTests.Refused(["simulate", "--run", members[0], "--frame", frames, "--out", trained["refused"], "--stop-above", "1"]);
        BadInputTests.Refused(["train", "--out", trained["few"], "--committee", "1"]);
        Directory.Move(trained.Run, TrainedForceField.Member(committee, 2));
        Assert.That(() => TrainedForceField.Members(committee), Throws.TypeOf<InputException>().With.Message.Contains("as " + members[0]));
        BadInputTests.Refused(["predict", "--run", committee, "--frames", frames, "--out", trained["mixed.extxyz"]]);
    }

    private static Outcome Run(params string[] arguments)
    {
        Outcome outcome = CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }
}
