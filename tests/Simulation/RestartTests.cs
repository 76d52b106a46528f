using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using ChemScale.Tests.Files;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

/// <summary>Whatever ends a dynamics, what it left is gone on with, and comes out to the bit as if nothing had been.</summary>
public sealed class RestartTests
{
    private static readonly DynamicsOptions[] Kinds =
    [
        Of(Ensemble.Nve), Of(Ensemble.Langevin), Of(Ensemble.Langevin) with { Replicas = 2 },
        Of(Ensemble.Npt) with { Pressure = 0.1 }, Of(Ensemble.Npt) with { Barostat = Barostat.Anisotropic, Every = 1 },
    ];

    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCaseSource(nameof(Kinds))]
    public void A_dynamics_killed_twenty_times_is_to_the_bit_one_that_ran_through(DynamicsOptions options)
    {
        Run(options, new SimulationFolder(folder["whole"]));
        var random = new Random(7);
        int kills = 0;
        for (bool complete = false; !complete;)
        {
            // Half of the times nothing is kept of what was done, and what was written has to go again.
            TimeSpan period = random.Next(2) == 0 ? TimeSpan.Zero : TimeSpan.MaxValue;
            int left = kills < 20 ? random.Next(0, 4) : int.MaxValue;
            try
            {
                Run(options, SimulationFolder.Resumed(folder["killed"]), period, () =>
                {
                    if (left-- == 0) throw new Killed();
                });
                complete = true;
            }
            catch (Killed)
            {
                kills++;
                foreach (string file in Directory.EnumerateFiles(folder["killed"], "t*", SearchOption.AllDirectories)) File.AppendAllText(file, "half of a li");
            }
        }
        Assert.That(kills, Is.EqualTo(20));
        RequireSame("whole", "killed");
    }

    [Test]
    public void A_disk_that_fails_or_a_power_that_is_cut_at_any_write_loses_nothing([Values] Fault fault)
    {
        DynamicsOptions options = Of(Ensemble.Langevin) with { Steps = 3, Every = 2 };
        Run(options, new SimulationFolder(folder["whole"]));
        for (int n = 1; ; n++)
        {
            string name = $"fault{n}";
            var storage = new FaultyStorage(n, fault);
            bool failed = false;
            try
            {
                Run(options, new SimulationFolder(folder[name], overwrite: false, resumes: true, storage), TimeSpan.Zero);
            }
            catch (Exception e) when (e is IOException or InputException)
            {
                failed = true;
                if (fault == Fault.Crash) storage.LoseUnsynced();
            }
            if (!storage.Failed) break;
            Assert.That(failed || storage.FailedOperation.Contains("DeleteFile of simulation.lock"), storage.FailedOperation);
            // What is there may be taken up again, or, before the first checkpoint, begun.
            Run(options, SimulationFolder.Resumed(folder[name]));
            RequireSame("whole", name, storage.FailedOperation);
        }
    }

    [Test]
    public void More_steps_go_on_as_if_they_had_been_asked_for_at_once()
    {
        DynamicsOptions options = Of(Ensemble.Langevin);
        Run(options with { Steps = 20 }, new SimulationFolder(folder["whole"]));
        Run(options with { Steps = 8 }, new SimulationFolder(folder["parts"]));
        Assert.That(FrameFiles.Read(Path.Combine(folder["parts"], SimulationFolder.Trajectory)).Count(), Is.EqualTo(4), "0, 3, 6 and the last, 8");
        DynamicsSummary last = Run(options with { Steps = 20 }, SimulationFolder.Resumed(folder["parts"]));
        RequireSame("whole", "parts");
        Assert.That(last.Resumes, Is.EqualTo(1));
        Run(options with { Steps = 20 }, SimulationFolder.Resumed(folder["parts"]));
        RequireSame("whole", "parts", "nothing was left to do");
        Assert.That(() => Run(options with { Steps = 19 }, SimulationFolder.Resumed(folder["parts"])), Throws.TypeOf<InputException>().With.Message.Contains("20 that are done"));
    }

    [Test]
    public void Momenta_of_the_last_frame_go_on_where_it_was()
    {
        Run(Of(Ensemble.Nve) with { Steps = 12 }, new SimulationFolder(folder["whole"]));
        Run(Of(Ensemble.Nve) with { Steps = 6 }, new SimulationFolder(folder["first"]));
        Frame middle = StartFrame.Read(Path.Combine(folder["first"], SimulationFolder.Trajectory) + "@-1");
        DynamicsSummary second = MolecularDynamics.Run(LennardJones.Argon, middle, Of(Ensemble.Nve) with { Steps = 6 }, new SimulationFolder(folder["second"]));
        Frame whole = StartFrame.Read(Path.Combine(folder["whole"], SimulationFolder.Trajectory) + "@-1");
        Frame parts = StartFrame.Read(Path.Combine(folder["second"], SimulationFolder.Trajectory) + "@-1");
        Assert.That(parts.Positions, Is.EqualTo(whole.Positions));
        Assert.That(parts.Momenta, Is.EqualTo(whole.Momenta));
        Assert.That(second.StartMomenta);
        Assert.That(second.DegreesOfFreedom, Is.EqualTo(3 * 32 - 3), "what stood still goes on to");
        DynamicsSummary drawn = MolecularDynamics.Run(
            LennardJones.Argon, middle, Of(Ensemble.Nve) with { Steps = 6, DrawMomenta = true }, new SimulationFolder(folder["drawn"]));
        Assert.That(drawn.StartMomenta, Is.False);
        Expect.Apart(drawn.FirstTotalEnergy, second.FirstTotalEnergy, by: 1e-4);
    }

    [Test]
    public void What_cannot_be_gone_on_with_is_refused_by_name()
    {
        DynamicsOptions options = Of(Ensemble.Nve);
        Run(options, new SimulationFolder(folder["done"]));
        string checkpoint = Path.Combine(folder["done"], SimulationFolder.Checkpoint);
        Refused("another model", () => MolecularDynamics.Run(new Named("b"), LennardJones.Crystal(2), options, SimulationFolder.Resumed(folder["done"])));
        Refused("another start", () => MolecularDynamics.Run(new Named("a"), LennardJones.Crystal(2, disorder: 0.1), options, SimulationFolder.Resumed(folder["done"])));
        Refused("timestep", () => Run(options with { Timestep = 1 }, SimulationFolder.Resumed(folder["done"])));
        Refused("ensemble", () => Run(options with { Ensemble = Ensemble.Langevin }, SimulationFolder.Resumed(folder["done"])));
        Refused("`resume`", () => Run(options, new SimulationFolder(folder["done"])));
        using (Stream? claim = DiskStorage.Shared.TryLock(Path.Combine(folder["done"], "simulation.lock")))
            Refused("another process", () => Run(options, SimulationFolder.Resumed(folder["done"])));
        File.WriteAllText(Path.Combine(folder["done"], SimulationFolder.Trajectory), "");
        Refused("that the checkpoint knows of", () => Run(options with { Steps = 30 }, SimulationFolder.Resumed(folder["done"])));
        byte[] bytes = File.ReadAllBytes(checkpoint);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(checkpoint, bytes);
        Refused("checkpoint.json", () => SimulationFolder.Resumed(folder["done"]));
        File.Delete(checkpoint);
        Refused("holds a simulation", () => SimulationFolder.Resumed(folder["done"]));

        static void Refused(string reason, Action action) => Assert.That(() => action(), Throws.TypeOf<InputException>().With.Message.Contains(reason));
    }

    [Test]
    public void Replicas_are_to_the_bit_runs_by_themselves()
    {
        DynamicsOptions options = Of(Ensemble.Langevin) with { Replicas = 3, Seed = 5 };
        DynamicsSummary all = Run(options, new SimulationFolder(folder["all"]));
        for (int r = 0; r < 3; r++)
        {
            DynamicsSummary alone = Run(options with { Replicas = 1, Seed = 5 + r }, new SimulationFolder(folder[$"alone{r}"]));
            Assert.That(File.ReadAllBytes(Path.Combine(folder["all"], $"replica-0{r}", SimulationFolder.Trajectory)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(folder[$"alone{r}"], SimulationFolder.Trajectory))));
            Assert.That(all.Replicas![r].MeanTemperature, Is.EqualTo(alone.MeanTemperature));
        }
        Expect.Close(all.MeanTemperature, all.Replicas!.Average(s => s.MeanTemperature), absolute: 1e-12);
    }

    private static DynamicsOptions Of(Ensemble ensemble) => new() { Ensemble = ensemble, Steps = 20, Every = 3, Timestep = 4, Temperature = 60, Seed = 3 };

    private static DynamicsSummary Run(DynamicsOptions options, SimulationFolder folder, TimeSpan? period = null, Action? step = null) => MolecularDynamics.Run(
        new Named("a"), LennardJones.Crystal(2), options, folder, period ?? TimeSpan.MaxValue, new Watcher(step));

    private void RequireSame(string whole, string other, string message = "")
    {
        string[] names = [.. Directory.EnumerateFiles(folder[whole], "t*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder[whole], f))];
        Expect.AtLeast(names.Length, 2);
        foreach (string name in names)
            Assert.That(File.ReadAllBytes(Path.Combine(folder[other], name)), Is.EqualTo(File.ReadAllBytes(Path.Combine(folder[whole], name))), $"{name} {message}");
        Assert.That(Figures(other), Is.EqualTo(Figures(whole)), message);
        Assert.That(Directory.EnumerateFiles(folder[other], "*.lock"), Is.Empty, message);
    }

    private string[] Figures(string name)
    {
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder[name], SimulationFolder.Summary)));
        return [.. summary.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Number
            && p.Name is not ("seconds" or "millisecondsPerStep" or "resumes" or "neighborListBuilds")).Select(p => $"{p.Name} {p.Value}")];
    }

    private sealed class Killed : Exception;

    private sealed class Watcher(Action? step) : IProgress<SimulationProgress>
    {
        public void Report(SimulationProgress value) => step?.Invoke();
    }

    private sealed class Named(string name) : IPotential
    {
        public string? Identity => name;

        public FramePrediction Evaluate(Frame frame, bool stress = false) => LennardJones.Argon.Evaluate(frame, stress);
    }
}
