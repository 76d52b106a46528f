using System.Text.Json;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Simulation;
using ChemScale.Tests.Simulation;
using ChemScale.Tests.Simulation.Ipi;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>simulate and serve.</summary>
public sealed class SimulationTests
{
    private TrainedRun trained = null!;

    private static readonly string[] Impossible =
    [
        "simulate --frame MOLECULE --run nowhere", "simulate --frame MOLECULE --run LANGUAGE", "simulate", "simulate --frame nowhere.xyz",
        "simulate --frame MOLECULE@1", "simulate --frame MOLECULE --steps 0", "simulate --frame MOLECULE --steps 5 --time 1",
        "simulate --frame MOLECULE --time 0", "simulate --frame MOLECULE --timestep -1", "simulate --frame MOLECULE --temperature nan",
        "simulate --frame MOLECULE --every 0", "simulate --frame MOLECULE --threads -1", "simulate --frame MOLECULE --friction 1",
        "simulate --frame MOLECULE --ensemble npt", "simulate --frame MOLECULE --fmax 0.1",
        "simulate --frame MOLECULE --ensemble nvt", "simulate --frame MOLECULE --pressure 1", "simulate --frame MOLECULE --barostat isotropic",
        "simulate --frame MOLECULE --ensemble relax --cell full", "simulate --frame MOLECULE --ensemble relax --smax 1", "simulate --frame MOLECULE --cell full",
        "simulate --frame MOLECULE --ensemble relax --optimizer newton", "simulate --frame MOLECULE --optimizer bfgs", "simulate --frame MOLECULE --fix 7",
        "simulate --frame MOLECULE --replicas 0", "simulate --frame MOLECULE --skin -1", "simulate --frame MOLECULE --resume --overwrite",
        "simulate --frame MOLECULE --ensemble relax --resume", "simulate --frame MOLECULE --ensemble relax --seed 3", "simulate --frame MOVING --temperature 200",
        "simulate --frame MOVING --seed 2", "simulate --frame MOVING --replicas 2", "simulate --resume", "simulate --frame MOLECULE --steps many",
        "simulate --frame MOLECULE --ensemble relax --fmax 0", "simulate --frame MOLECULE --ensemble relax --temperature 300",
        "simulate --frame MOLECULE --precision half", "simulate --frame MOLECULE --length-units mile", "simulate --frame HEAVY",
        "simulate --frame TOGETHER", "simulate --frame MOLECULE --out IMPOSSIBLE", "simulate --frame TEXT", "serve --unix x",
        "serve --frame MOLECULE --unix x --port 3", "serve --frame MOLECULE --port 0", "serve --frame MOLECULE --wait -1",
        "serve --frame HEAVY --unix x", "serve --frame MOLECULE --unix chemscale-nobody --wait 0.1",
        "serve --frame MOLECULE --host localhost --port 1 --wait 0", "serve --frame MOLECULE --run nowhere --unix x",
    ];

    [OneTimeSetUp]
    public void Train()
    {
        trained = new TrainedRun();
        trained.Write("heavy.xyz", new Frame { AtomicNumbers = [79, 1], Positions = [0, 0, 0, 1.5, 0, 0] });
        trained.Write("together.xyz", new Frame { AtomicNumbers = [1, 1], Positions = new double[6] });
        File.WriteAllText(trained["text.xyz"], "not a frame\n");
        File.WriteAllText(trained["moving.xyz"], "2\nProperties=species:S:1:pos:R:3:momenta:R:3\nO 0 0 0 0.1 0 0\nH 1.6 0 0 -0.1 0.2 0\n");
    }

    [OneTimeTearDown]
    public void Remove() => trained.Dispose();

    [TestCaseSource(nameof(Impossible))]
    public void What_cannot_be_is_refused(string arguments)
    {
        string[] words = [.. arguments.Split(' ').Select(word => word switch
        {
            "MOLECULE@1" => trained.Molecule + "@1",
            "MOLECULE" => trained.Molecule,
            "HEAVY" => trained["heavy.xyz"],
            "TOGETHER" => trained["together.xyz"],
            "TEXT" => trained["text.xyz"],
            "MOVING" => trained["moving.xyz"],
            "LANGUAGE" => Workplace.CompleteRun,
            "IMPOSSIBLE" => Workplace.Impossible,
            _ => word,
        })];
        if (!words.Contains("--run")) words = [.. words, "--run", trained.Run];
        if (words[0] == "simulate" && !words.Contains("--out")) words = [.. words, "--out", trained["refused"]];
        BadInputTests.Refused(words);
        Assert.That(Directory.Exists(trained["refused"]), Is.False);
    }

    [Test]
    public void A_simulation_answers_for_people_and_for_programs()
    {
        Outcome json = Simulate("json", "--steps", "30", "--json"), text = Simulate("text", "--time", "0.015", "--threads", "1");
        using JsonDocument answer = JsonDocument.Parse(json.Output);
        Assert.Multiple(() =>
        {
            Assert.That(answer.RootElement.GetProperty("steps").GetInt64(), Is.EqualTo(30));
            Assert.That(answer.RootElement.GetProperty("driftMeVPerAtomPerPs").ValueKind, Is.EqualTo(JsonValueKind.Number));
            Assert.That(text.Output, Does.Contain("meV/atom/ps").And.Contain("30 steps"));
            Assert.That(File.ReadAllBytes(Trajectory("text")), Is.EqualTo(File.ReadAllBytes(Trajectory("json"))));
        });
    }

    [TestCase("--ensemble", "nvt", "nve, langevin, npt, relax"), TestCase("--steps", "many", "a whole number"), TestCase("--timestep", "fast", "a number"),
        TestCase("--optimizer", "newton", "fire, bfgs"), TestCase("--precision", "half", "float32, float64")]
    public void A_wrong_value_is_answered_with_the_right_ones(string option, string value, string expected)
    {
        Outcome outcome = CommandLine.Here("simulate", "--run", trained.Run, "--frame", trained.Molecule, option, value);
        Assert.That(outcome.ExitCode, Is.EqualTo(2));
        Assert.That(outcome.Error, Does.Contain($"'{value}'").And.Contain(expected));
    }

    [Test]
    public void A_simulation_that_is_killed_is_gone_on_with()
    {
        string[] options = ["--ensemble", "langevin", "--steps", "2000", "--every", "100", "--timestep", "0.2", "--seed", "4"];
        Simulate("whole", options);
        RunningCommand command = CommandLine.Start(
            ["simulate", "--run", trained.Run, "--frame", trained.Molecule, "--out", trained["killed"], "--resume", .. options]);
        Assert.That(command.Await(() => File.Exists(Trajectory("killed")) && new FileInfo(Trajectory("killed")).Length > 1000));
        command.Signal("KILL");
        command.Wait();
        Outcome resumed = CommandLine.Here("simulate", "--run", trained.Run, "--out", trained["killed"], "--resume");
        Assert.That(resumed.ExitCode, Is.Zero, resumed.ToString());
        Assert.That(File.ReadAllBytes(Trajectory("killed")), Is.EqualTo(File.ReadAllBytes(Trajectory("whole"))));
        Outcome other = CommandLine.Here("simulate", "--run", trained.Run, "--out", trained["killed"], "--resume", "--precision", "float64");
        Assert.That(other.ExitCode, Is.EqualTo(2), other.ToString());
        Assert.That(other.Error, Does.Contain("another model"));
        Outcome friction = CommandLine.Here("simulate", "--run", trained.Run, "--out", trained["killed"], "--resume", "--friction", "3");
        Assert.That(friction.Error, Does.StartWith("chemscale: --friction: 3; expected 10"));
    }

    [Test]
    public void Momenta_of_a_frame_are_used_and_said_to_be()
    {
        Simulate("slow", "--steps", "10", "--temperature", "50");
        Outcome on = CommandLine.Here("simulate", "--run", trained.Run, "--frame", Trajectory("slow") + "@-1", "--out", trained["on"], "--steps", "10");
        Assert.That(on.Output, Does.Contain("from the frame's momenta"), on.ToString());
        using JsonDocument slow = Summary("slow"), after = Summary("on");
        Expect.Close(after.RootElement.GetProperty("firstTotalEnergy").GetDouble(), slow.RootElement.GetProperty("lastTotalEnergy").GetDouble(), absolute: 1e-9);
        Outcome drawn = CommandLine.Here("simulate", "--run", trained.Run, "--frame", Trajectory("slow") + "@-1", "--out", trained["drawn"], "--steps", "1", "--draw-momenta");
        Assert.That(drawn.Output, Does.Not.Contain("from the frame's momenta").And.Contain("done,"));
    }

    [Test]
    public void Elements_the_model_never_saw_are_warned_of_once_and_in_the_summary()
    {
        string frame = trained.Write("unseen.xyz", new Frame { AtomicNumbers = [8, 1, 5], Positions = [0, 0, 0, 1.6, 0, 0, 0.3, 1.5, 0.1] });
        foreach (string ensemble in (string[])["nve", "relax"])
        {
            Outcome outcome = CommandLine.Here("simulate", "--run", trained.Run, "--frame", frame, "--out", trained["unseen" + ensemble], "--ensemble", ensemble, "--steps", "3");
            Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
            Assert.That(outcome.ErrorLines.Where(line => line.Contains("no B in what")), Has.Exactly(1).Items);
            using JsonDocument summary = Summary("unseen" + ensemble);
            Assert.That(summary.RootElement.GetProperty("warnings").EnumerateArray().Select(w => w.GetString()), Has.Exactly(1).Contains("no B in what"));
        }
        using var server = new FakeServer(trained["unseen"]);
        RunningCommand serve = CommandLine.Start("serve", "--run", trained.Run, "--frame", frame, "--unix", trained["unseen"]);
        server.Accept();
        serve.Signal("TERM");
        Assert.That(serve.Wait().ErrorLines.Where(line => line.Contains("no B in what")), Has.Exactly(1).Items);
    }

    [Test]
    public void A_temperature_that_runs_away_is_doubted_aloud()
    {
        // Stretched far: what the bonds set free heats the molecule.
        string frame = trained.Write("strained.xyz", new Frame { AtomicNumbers = [8, 1, 1], Positions = [0, 0, 0, 0.9, 0, 0, 0.1, 0.9, 0.1] });
        Outcome outcome = CommandLine.Here("simulate", "--run", trained.Run, "--frame", frame, "--out", trained["strained"], "--steps", "200", "--temperature", "0.1");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Error, Does.Contain("warning: mean temperature").And.Contain("were asked for"));
        Assert.That(outcome.Output, Does.Contain("DOUBTFUL").And.Not.Contain("done,"));
        using JsonDocument summary = Summary("strained");
        Expect.Above(summary.RootElement.GetProperty("warnings").GetArrayLength(), 0);
    }

    [Test]
    public void Replicas_a_pressure_and_a_relaxed_cell_run_too()
    {
        Assert.That(Simulate("replicas", "--ensemble", "langevin", "--steps", "5", "--replicas", "2").Output, Does.Contain("2 x 3 atoms"));
        Assert.That(FrameFiles.Read(Path.Combine(trained["replicas"], "replica-01", SimulationFolder.Trajectory)).Count(), Is.EqualTo(2));
        Outcome npt = CommandLine.Here("simulate", "--run", trained.Run, "--frame", trained.Crystal, "--out", trained["npt"], "--ensemble", "npt", "--steps", "20",
            "--pressure", "0.1", "--barostat", "anisotropic", "--timestep", "0.2");
        Assert.That(npt.Output, Does.Contain("GPa of 0.1").And.Contain("volume"), npt.ToString());
        Assert.That(File.ReadLines(Path.Combine(trained["npt"], SimulationFolder.Thermo)).First(), Does.EndWith(",volume_A3,pressure_GPa"));
        Outcome cell = CommandLine.Here("simulate", "--run", trained.Run, "--frame", trained.Crystal, "--out", trained["cell"], "--ensemble", "relax", "--cell", "full",
            "--optimizer", "bfgs", "--steps", "3");
        Assert.That(cell.Output, Does.Contain("volume"), cell.ToString());
    }

    private JsonDocument Summary(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(trained[name], SimulationFolder.Summary)));

    [Test]
    public void A_thermostat_and_a_relaxation_run_too()
    {
        Outcome langevin = Simulate("langevin", "--ensemble", "langevin", "--steps", "20", "--friction", "20");
        Assert.That(langevin.Output, Does.Not.Contain("meV/atom/ps"));
        Assert.That(Simulate("relax", "--ensemble", "relax", "--fmax", "0.05").Output, Does.Contain("relaxed in"));
        Frame[] frames = [.. FrameFiles.Read(Trajectory("relax"))];
        Expect.Below(frames[^1].Energy, frames[0].Energy!.Value);
        Expect.AllClose(frames[^1].Forces, 0, absolute: 0.05);
    }

    [Test]
    public void Float64_and_float32_agree_to_single_precision()
    {
        Simulate("single", "--steps", "1", "--precision", "float32");
        Simulate("double", "--steps", "1", "--precision", "float64");
        double single = StartFrame.Read(Trajectory("single")).Energy!.Value, twice = StartFrame.Read(Trajectory("double")).Energy!.Value;
        Expect.Close(single, twice, absolute: 1e-4);
        Assert.That(single, Is.Not.EqualTo(twice));
    }

    [Test]
    public void A_simulation_that_blows_up_exits_with_1_and_one_line()
    {
        Outcome outcome = CommandLine.Here("simulate", "--run", trained.Run, "--frame", trained.Molecule, "--out", trained["hot"],
            "--timestep", "500", "--steps", "1000");
        Assert.That(outcome.ExitCode, Is.EqualTo(1), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain("failed at step").And.Contain("fs"));
        Assert.That(File.ReadAllText(Trajectory("hot")), Does.Not.Contain("NaN"));
    }

    [TestCase("INT", 130), TestCase("TERM", 143)]
    public void A_signal_ends_a_simulation_with_complete_files(string signal, int code)
    {
        string name = "signal" + signal;
        RunningCommand command = CommandLine.Start("simulate", "--run", trained.Run, "--frame", trained.Molecule, "--out", trained[name],
            "--steps", "100000000", "--every", "1", "--timestep", "0.1");
        Assert.That(command.Await(() => File.Exists(Trajectory(name)) && new FileInfo(Trajectory(name)).Length > 3000));
        command.Signal(signal);
        Assert.That(command.Wait().ExitCode, Is.EqualTo(code));
        long frames = FrameFiles.Read(Trajectory(name)).LongCount();
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(trained[name], SimulationFolder.Summary)));
        Assert.That(summary.RootElement.GetProperty("end").GetString(), Is.EqualTo("stopped"));
        Assert.That(summary.RootElement.GetProperty("steps").GetInt64(), Is.EqualTo(frames - 1));
    }

    [TestCase("INT", 130), TestCase("TERM", 143)]
    public void A_signal_ends_a_server_that_waits(string signal, int code)
    {
        using var server = new FakeServer(trained["socket"]);
        RunningCommand command = CommandLine.Start("serve", "--run", trained.Run, "--frame", trained.Molecule, "--unix", trained["socket"]);
        server.Accept();
        Assert.That(server.Status(), Is.EqualTo("READY"));
        command.Signal(signal);
        Assert.That(command.Wait().ExitCode, Is.EqualTo(code));
    }

    [Test]
    public void A_background_job_of_a_script_is_not_ended_by_an_interrupt()
    {
        using var server = new FakeServer(trained["background"]);
        // What a shell does for `command &`: the interrupt of its keyboard is meant for another.
        RunningCommand command = CommandLine.StartBash("trap '' INT; exec \"$@\"", "serve", "--run", trained.Run, "--frame", trained.Molecule, "--unix", trained["background"]);
        server.Accept();
        Assert.That(server.Status(), Is.EqualTo("READY"));
        command.Signal("INT");
        command.Signal("TERM");
        Assert.That(command.Wait().ExitCode, Is.EqualTo(143));
    }

    [Test]
    public void A_server_of_other_atoms_is_refused()
    {
        using var server = new FakeServer(trained["other"]);
        RunningCommand command = CommandLine.Start("serve", "--run", trained.Run, "--frame", trained.Molecule, "--unix", trained["other"]);
        server.Accept();
        server.SendPositions(new double[9], [0, 0, 0, 0, 0, 1]);
        Outcome outcome = command.Wait();
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain("3 atoms").And.Contain("2, as the server sends"));
    }

    private Outcome Simulate(string name, params string[] more)
    {
        string[] arguments = ["simulate", "--run", trained.Run, "--frame", trained.Molecule, "--out", trained[name], .. more];
        Outcome outcome = CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }

    private string Trajectory(string name) => Path.Combine(trained[name], SimulationFolder.Trajectory);
}
