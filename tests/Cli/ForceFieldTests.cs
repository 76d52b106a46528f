using System.Text.Json;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Tests.Studies;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>prepare --frames and train --model from the command line.</summary>
public sealed class ForceFieldTests
{
    private static readonly string[] Small =
        ["--features", "6", "--interactions", "1", "--cutoff", "3", "--threads", "1", "--batch", "5", "--set", "model.radialFunctions=6"];

    private static string frames = "", store = "";

    [OneTimeSetUp]
    public void Make()
    {
        frames = Workplace.In("springs.npz");
        SpringFrames.Save(frames, 40);
        store = Workplace.In("springs");
        Outcome prepared = CommandLine.Here("prepare", "--frames", frames, "--validation-frames", "10", "--out", store, "--json");
        Assert.That(prepared.ExitCode, Is.Zero, prepared.ToString());
        using JsonDocument report = JsonDocument.Parse(prepared.Output);
        Assert.That(report.RootElement.GetProperty("store").GetProperty("train").GetProperty("frames").GetInt64(), Is.EqualTo(30));
        Workplace.Write("onepoint.xyz", "2\nenergy=-1.0 Properties=species:S:1:pos:R:3:forces:R:3\nO 0 0 0 0 0 0\nH 0 0 0 0 0 0\n");
        Workplace.Write("forceless.xyz", "2\nenergy=-1.0 Properties=species:S:1:pos:R:3\nO 0 0 0\nH 0 0 1\n");
    }

    [TestCase("painn"), TestCase("schnet"), TestCase("spookynet")]
    public void A_force_field_trains_and_goes_on_where_it_was_put_aside(string model)
    {
        string whole = Workplace.In($"{model}-whole"), parts = Workplace.In($"{model}-parts");
        Outcome trained = CommandLine.Here(["train", "--model", model, "--data", store, .. Small, "--epochs", "2", "--out", whole, "--json"]);
        Assert.That(trained.ExitCode, Is.Zero, trained.ToString());
        using JsonDocument answer = JsonDocument.Parse(trained.Output);
        Assert.That(answer.RootElement.GetProperty("result").GetProperty("itemsSeen").GetInt64(), Is.EqualTo(60));
        Assert.That(answer.RootElement.GetProperty("facts").GetProperty("itemName").GetString(), Is.EqualTo("frames"));

        Experiment experiment = Experiment.Read(Path.Combine(whole, "experiment.yaml"));
        Assert.That(experiment.Training.Schedule.Kind, Is.EqualTo(ScheduleKind.Plateau));
        Assert.That(CommandLine.Here("train", "--experiment", Path.Combine(whole, "experiment.yaml"), "--out", parts).ExitCode, Is.Zero);
        Assert.That(File.ReadAllText(Path.Combine(parts, "metrics.csv")), Is.EqualTo(File.ReadAllText(Path.Combine(whole, "metrics.csv"))));
    }

    [Test]
    public void Options_change_the_keys_they_name()
    {
        string run = Workplace.In("keys");
        // A number of frames has no effect beside one of atoms, and is refused.
        string[] small = [.. Small.Where((_, i) => i != Array.IndexOf(Small, "--batch") && i != Array.IndexOf(Small, "--batch") + 1)];
        Outcome trained = CommandLine.Here(["train", "--model", "painn", "--data", store, .. small, "training.labelLoss.error=l1", "training.keepBest=false",
            "--steps", "1", "--batch-atoms", "9", "--energy-weight", "0.2", "--out", run]);
        Assert.That(trained.ExitCode, Is.Zero, trained.ToString());
        Experiment experiment = Experiment.Read(Path.Combine(run, "experiment.yaml"));
        Assert.That(experiment.Training.LabelLoss, Is.EqualTo(new LabelLossSpec { EnergyWeight = 0.2, Error = ErrorMeasure.L1 }));
        Assert.That(experiment.Training.BatchAtoms, Is.EqualTo(9));
        Assert.That(Directory.GetDirectories(Path.Combine(run, "checkpoints"), "best-*"), Is.Empty);
    }

    [TestCase("train --data STORE --steps 1", "--model"), TestCase("train --frames FRAMES --steps 1", "--model")]
    [TestCase("train --model painn --data STORE --steps 1 --width 16", "--width"), TestCase("train --model painn --data MOLECULES --steps 1", "frames.json")]
    [TestCase("train --model chemgpt --data MOLECULES --steps 1 --features 8", "--features"), TestCase("train --model gap --data STORE --steps 1", "allegro")]
    [TestCase("train --model painn --data STORE --steps 1 --set model.depth=3", "model.depth"), TestCase("train --model painn --data STORE --steps 1 --set cutoff", "KEY=VALUE")]
    [TestCase("train --model painn --data STORE --steps 1 --batch-atoms 2", "3 atoms"), TestCase("train --model painn --data STORE --steps 1 --limit 31", "31")]
    [TestCase("train --model painn --frames FRAMES --units parsec --steps 1", "parsec"), TestCase("train --model painn --data STORE --frames FRAMES --steps 1", "--frames")]
    [TestCase("prepare --frames onepoint.xyz", "one point"), TestCase("prepare --frames forceless.xyz", "no forces"), TestCase("prepare --frames FRAMES --units kcal/mol", "eV")]
    [TestCase("prepare --frames FRAMES --virtual 5", "--virtual"), TestCase("prepare --frames FRAMES --validation 1", "validation"),
        TestCase("prepare --frames absent.npz", "absent.npz")]
    [TestCase("study --families gap", "gap"), TestCase("study --families painn --shapes 3", "3"), TestCase("study --families painn,painn", "painn")]
    public void What_makes_no_sense_is_refused_in_one_line(string command, string named)
    {
        string output = Workplace.In("refused-run");
        string[] words = [.. command.Split(' ').Select(w => w switch
        {
            "STORE" => store, "FRAMES" => frames, "MOLECULES" => Workplace.Store, "onepoint.xyz" or "forceless.xyz" => Workplace.In(w), _ => w,
        })];
        Outcome outcome = BadInputTests.Refused([.. words, "--out", output]);
        Assert.That(outcome.Error, Does.Contain(named));
        Assert.That(Directory.Exists(output), Is.False);
    }
}
