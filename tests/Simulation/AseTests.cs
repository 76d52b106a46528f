using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Tests.Cli;
using NUnit.Framework;
using Command = ChemScale.Tests.Cli.CommandLine;

namespace ChemScale.Tests.Simulation;

/// <summary>With the real ASE in a process of its own; skipped where there is none.</summary>
[Category("Python")]
public sealed class AseTests
{
    private TrainedRun trained = null!;

    [OneTimeSetUp]
    public void Train() => trained = new TrainedRun();

    [OneTimeTearDown]
    public void Remove() => trained.Dispose();

    [TestCase(false, "unix"), TestCase(true, "unix"), TestCase(true, "tcp")]
    public void ASE_runs_dynamics_on_a_served_model_and_sees_its_energies_forces_and_stress(bool periodic, string kind)
    {
        string frame = periodic ? trained.Crystal : trained.Molecule, seen = trained[$"seen-{periodic}-{kind}.json"];
        string name = kind == "unix" ? $"chemscale-{Environment.ProcessId}-{periodic}" : $"{FreePort()}";
        RunningCommand ase = Python.Start("ase_socket.py", frame, seen, kind, name);
        RunningCommand serve = Command.Start("serve", "--run", trained.Run, "--frame", frame, "--precision", "float64", "--wait", "60",
            kind == "unix" ? "--unix" : "--port", name, "--json");
        Outcome dynamics = ase.Wait(), served = serve.Wait();
        Assert.That(dynamics.ExitCode, Is.Zero, dynamics.ToString());
        Assert.That(served.ExitCode, Is.Zero, served.ToString());
        using (JsonDocument session = JsonDocument.Parse(served.Output))
        {
            Assert.That(session.RootElement.GetProperty("evaluations").GetInt64(), Is.EqualTo(101));
            Assert.That(session.RootElement.GetProperty("end").GetString(), Is.EqualTo("closed"));
        }

        using ForceField model = TrainedForceField.Open(trained.Run, _ => { }, Precision.Float64);
        Frame template = StartFrame.Read(frame);
        JsonArray snapshots = JsonNode.Parse(File.ReadAllText(seen))!.AsArray();
        Assert.That(snapshots, Has.Count.EqualTo(11));
        double moved = 0;
        foreach (JsonNode? snapshot in snapshots)
        {
            double[] positions = Numbers(snapshot!["positions"]);
            FramePrediction expected = FramePrediction.Of(model, template with { Positions = positions }, stress: true);
            Expect.Close((double)snapshot["energy"]!, expected.Energy, absolute: 1e-6);
            Expect.Close(Numbers(snapshot["forces"]), expected.Forces, absolute: 1e-6);
            if (periodic) Expect.Close(Numbers(snapshot["stress"]), expected.Stress, absolute: 1e-8);
            moved = Math.Max(moved, positions.Zip(template.Positions, (a, b) => Math.Abs(a - b)).Max());
        }
        Expect.Above(moved, 0.01);
        double[] totals = [.. snapshots.Select(s => (double)s!["energy"]! + (double)s["kinetic"]!)];
        Expect.AllBetween(totals, totals[0] - 0.05, totals[0] + 0.05, "ASE's own energy is kept: the forces are the energy's");
    }

    [TestCase(false), TestCase(true)]
    public void ASE_reads_our_trajectory(bool periodic)
    {
        string folder = trained[$"read-{periodic}"], read = trained[$"read-{periodic}.json"];
        string file = Path.Combine(folder, SimulationFolder.Trajectory);
        Outcome simulated = Command.Here("simulate", "--run", trained.Run, "--frame", periodic ? trained.Crystal : trained.Molecule,
            "--out", folder, "--steps", "20", "--temperature", "200");
        Assert.That(simulated.ExitCode, Is.Zero, simulated.ToString());
        Outcome outcome = Python.Start("ase_trajectory.py", file, read).Wait();
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Frame[] frames = [.. FrameFiles.Read(file)];
        JsonArray theirs = JsonNode.Parse(File.ReadAllText(read))!.AsArray();
        Assert.That(theirs, Has.Count.EqualTo(3));
        for (int i = 0; i < frames.Length; i++)
        {
            JsonNode their = theirs[i]!, info = their["info"]!;
            int degrees = 3 * frames[i].Atoms - (periodic ? 3 : 6);
            Assert.Multiple(() =>
            {
                Assert.That((double)their["energy"]!, Is.EqualTo(frames[i].Energy));
                Expect.Close(Numbers(their["forces"]), frames[i].Forces, absolute: 1e-14);
                // The same momenta over the same masses; ASE's constants are of another year.
                Expect.Close((double)their["kinetic"]!, (double)info["kinetic_energy"]!, absolute: 1e-12);
                // ASE counts every degree of freedom, moving or not.
                double temperature = (double)their["temperature"]! * 3 * frames[i].Atoms / degrees;
                Expect.Close(temperature, (double)info["temperature"]!, absolute: 1e-3);
                Assert.That((double)info["step"]!, Is.EqualTo(10 * i));
                Assert.That((double)info["time_fs"]!, Is.EqualTo(5 * i));
                Assert.That(their["pbc"]!.AsArray().All(flag => (bool)flag! == periodic));
                if (periodic) Assert.That(Numbers(their["cell"]), Is.EqualTo(frames[i].Cell));
            });
        }
    }

    private static double[] Numbers(JsonNode? node) => [.. node!.AsArray().Select(x => (double)x!)];

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
