using System.Text.Json;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Tests.Simulation.Ipi;
using ChemScale.Tests.Studies;
using ChemScale.Tests.Training;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Every family as it is where nobody names a size: trained, resumed, and used by every verb that reads runs.</summary>
public sealed class DefaultSizeTests
{
    private static readonly string[] Families = [.. ModelFamily.All.Select(family => family.Name)];

    private static string store = "", heldOut = "";

    [OneTimeSetUp]
    public void Make()
    {
        string frames = Workplace.In("default-frames.npz");
        heldOut = Workplace.In("default-held-out.npz");
        store = Workplace.In("default-store");
        SpringFrames.Save(frames, 6);
        NpzFrameWriter.Write(heldOut, SpringFrames.Make(8)[6..]);
        Works("prepare", "--frames", frames, "--validation-files", heldOut, "--out", store);
    }

    [TestCaseSource(nameof(Families))]
    public void A_run_resumes_to_the_bit_and_serves_every_verb(string family)
    {
        string whole = Workplace.In($"default-{family}"), parts = Workplace.In($"default-{family}-parts"), output = Workplace.In($"default-{family}-out");
        bool atoms = family != "chemgpt";
        string[] data = atoms ? ["--data", store] : ["--data", Workplace.Store, "--validation", "10"];
        Works(["train", "--model", family, .. data, "--batch", "3", "--steps", "2", "--ema", "0.5", "--validate-every", "1 steps",
            "--checkpoint-every", "1 steps", "--threads", "1", "--out", whole]);
        object config = Experiment.Read(Path.Combine(whole, "experiment.yaml")).Model.Config;
        Assert.That(config, Is.EqualTo(config switch
        {
            ChemGptConfig c => new ChemGptConfig { Width = 64, VocabularySize = c.VocabularySize },
            AllegroConfig a => new AllegroConfig { Elements = a.Elements, AverageNeighbors = a.AverageNeighbors },
            _ => Activator.CreateInstance(config.GetType()),
        }), "the default size");

        Copy(whole, parts);
        File.Delete(Path.Combine(parts, "DONE"));
        Directory.Delete(Path.Combine(parts, "checkpoints", "step-000000002"), recursive: true);
        Works("train", "--resume", "--out", parts);
        Assert.That(ToyRuns.Csv(parts), Is.EqualTo(ToyRuns.Csv(whole)));
        Assert.That(Tensors(parts), Is.EqualTo(Tensors(whole)));

        if (!atoms)
        {
            Works("generate", "--run", whole, "--count", "2", "--max-tokens", "20", "--out", output);
            Assert.That(File.ReadAllLines(Path.Combine(output, "molecules.tsv")), Has.Length.EqualTo(3));
            return;
        }
        using JsonDocument errors = JsonDocument.Parse(Works("evaluate", "--run", whole, "--frames", heldOut, "--threads", "1", "--out", output, "--json").Output);
        Expect.Close(errors.RootElement.GetProperty("forces").GetProperty("electronVoltPerAngstrom").GetProperty("mae").GetDouble(), RecordedForceError(whole), relative: 1e-08);
        string predicted = Workplace.In($"default-{family}.extxyz");
        Works("predict", "--run", whole, "--frames", heldOut, "--threads", "1", "--out", predicted);
        Works("simulate", "--run", whole, "--frame", heldOut + "@0", "--steps", "1", "--timestep", "0.01", "--threads", "1", "--out", output);
        Frame first = FrameFiles.Read(predicted).First();
        using var server = new FakeServer(Workplace.In($"{family}-socket"));
        Task<Outcome> client = Task.Run(() => CommandLine.Here("serve", "--run", whole, "--frame", heldOut + "@0", "--threads", "1", "--unix", Workplace.In($"{family}-socket")));
        server.Accept();
        (double energy, double[] forces, _, _) = server.Calculate([30, 0, 0, 0, 30, 0, 0, 0, 30], first.Positions);
        server.Send("EXIT");
        Assert.That(client.Result.ExitCode, Is.Zero, client.Result.ToString());
        Expect.Close(energy, first.Energy!.Value, absolute: 1e-3);
        Expect.Close(forces, first.Forces, absolute: 1e-3);
    }

    /// <summary>Of the best validation, whose weights are those that are used.</summary>
    private static double RecordedForceError(string run) => File.ReadLines(Path.Combine(run, "metrics.jsonl"))
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(record => record.TryGetProperty("val_loss", out _))
        .MinBy(record => record.GetProperty("val_loss").GetDouble())
        .GetProperty("val_force_mae").GetDouble();

    /// <summary>Checksums of weights, moments and averages at the end.</summary>
    private static string[] Tensors(string run) =>
        [.. File.ReadLines(Path.Combine(run, "checkpoints", "step-000000002", "SHA256SUMS")).Where(line => line.EndsWith(".safetensors", StringComparison.Ordinal))];

    private static Outcome Works(params string[] arguments)
    {
        Outcome outcome = CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }

    internal static void Copy(string from, string to)
    {
        foreach ((string name, byte[] content) in Workplace.Content(from))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, name))!);
            File.WriteAllBytes(Path.Combine(to, name), content);
        }
    }
}
