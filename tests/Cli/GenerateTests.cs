using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Samplings as the command makes them.</summary>
public class GenerateTests
{
    private static readonly string[] Sample = ["generate", "--run", Workplace.CompleteRun, "--seed", "3", "--max-tokens", "30", "--threads", "1", "--temperature", "0.9"];

    [Test]
    public void A_sampling_that_was_killed_is_gone_on_with_and_no_molecule_comes_twice()
    {
        string whole = Workplace.In("sampled-whole"), killed = Workplace.In("sampled-killed");
        Works("--count", "60", "--out", whole);
        string expected = File.ReadAllText(Path.Combine(whole, "molecules.tsv"));
        Works("--count", "60", "--out", killed);
        // As a kill amid a line leaves it.
        string unfinished = Path.Combine(killed, "molecules.unfinished.tsv");
        File.Delete(Path.Combine(killed, "molecules.tsv"));
        File.WriteAllText(unfinished, expected[..(expected.Length / 3)]);
        File.Move(Path.Combine(killed, "molecules.json"), Path.Combine(killed, "molecules.unfinished.json"));
        Assert.That(BadInputTests.Refused([.. Sample, "--count", "60", "--out", killed]).Error, Does.Contain("unfinished").And.Contain("--resume"));
        Assert.That(BadInputTests.Refused([.. Sample, "--count", "60", "--top-k", "3", "--resume", "--out", killed]).Error, Does.Contain("topK 0 instead of 3"));
        Outcome resumed = Works("--count", "60", "--resume", "--batch", "7", "--out", killed);
        Assert.That(File.ReadAllText(Path.Combine(killed, "molecules.tsv")), Is.EqualTo(expected));
        Assert.That(File.Exists(unfinished), Is.False);
        Assert.That(resumed.Error, Does.Contain("60 sequences"));

        // A complete one is its own answer, and may be added to.
        Assert.That(Works("--count", "60", "--resume", "--out", killed).Error, Is.EqualTo(resumed.Error));
        string grown = Workplace.In("sampled-grown");
        Works("--count", "20", "--out", grown);
        Works("--count", "60", "--resume", "--out", grown);
        Assert.That(File.ReadAllText(Path.Combine(grown, "molecules.tsv")), Is.EqualTo(expected));
        Dictionary<string, byte[]> complete = Workplace.Content(grown);
        Assert.That(BadInputTests.Refused([.. Sample, "--count", "10", "--resume", "--out", grown]).Error, Does.Contain("--count").And.Contain("60"));
        Assert.That(Workplace.Content(grown), Is.EqualTo(complete), "what is refused leaves what is there");
    }

    [Test]
    public void A_stopped_sampling_keeps_what_was_drawn()
    {
        string output = Workplace.In("sampled-stopped");
        string[] command = [.. Sample, "--count", "100000000", "--out", output];
        RunningCommand running = CommandLine.Start(command);
        string file = Path.Combine(output, "molecules.unfinished.tsv");
        Assert.That(running.Await(() => File.Exists(file) && new FileInfo(file).Length > 100_000), Is.True);
        running.Signal("INT");
        Assert.That(running.Wait().ExitCode, Is.EqualTo(130));
        string[] lines = File.ReadAllLines(file);
        Expect.Above(lines.Length, 500);
        Assert.That(lines, Has.All.Matches<string>(l => l!.Split('\t').Length == 3));
        Assert.That(BadInputTests.Refused(command).Error, Does.Contain("--resume"));
    }

    [Test]
    public void Prompts_are_taken_in_both_forms_and_the_empty_one_is_none()
    {
        string output = Workplace.In("sampled-prompts");
        Outcome none = Works("--count", "5", "--prompt", "", "--out", output), left = Works("--count", "5", "--out", output);
        Assert.That(none.Output, Is.EqualTo(left.Output));
        Outcome smiles = Works("--count", "5", "--prompt", "CCO", "--out", output);
        Assert.That(smiles.Error, Does.Contain("prompt: [C][C][O], CCO"));
        Assert.That(smiles.Output.Trim().Split('\n'), Has.All.StartsWith("[C][C][O]"));
        Assert.That(smiles.Output.Trim().Split('\n').Select(l => l.Split('\t')[1]), Has.All.StartsWith("CCO").Or.All.StartsWith("CC"));
        Assert.That(Works("--count", "5", "--prompt", "[C][C][O]", "--out", output).Output, Is.EqualTo(smiles.Output));
    }

    [Test]
    public void Every_finished_sequence_is_a_molecule_and_is_counted_as_one()
    {
        string output = Workplace.In("sampled-counted");
        Outcome outcome = Works("--count", "200", "--out", output);
        string[][] rows = [.. File.ReadAllLines(Path.Combine(output, "molecules.tsv")).Skip(1).Select(l => l.Split('\t'))];
        string[][] finished = [.. rows.Where(r => r[2] == "finished")];
        Assert.That(finished.Select(r => r[1]), Has.None.EqualTo("!ERROR").And.None.Empty);
        Assert.That(outcome.Error, Does.Contain($"200 sequences: {finished.Length} molecules").And.Contain($"0 empty, 0 that do not decode, {200 - finished.Length} unfinished"));
    }

    /// <summary>A Python without RDKit, none that starts, and none at all are told apart; one that has it gives its verdict.</summary>
    [Test]
    public void RDKits_verdict_stands_beside_ours_where_there_is_one()
    {
        string output = Workplace.In("sampled-verdict");
        string Asked(string python)
        {
            Outcome outcome = CommandLine.Run(typeof(ChemScale.Cli.Verb).Assembly.Location, [("CHEMSCALE_PYTHON", python)], [.. Sample, "--count", "20", "--out", output]);
            Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
            return outcome.ErrorLines[^1];
        }
        string script = Workplace.In("python");
        void Script(string body)
        {
            File.WriteAllText(script, "#!/bin/sh\n" + body);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        Assert.That(Asked(""), Is.EqualTo("RDKit: not computed, CHEMSCALE_PYTHON names no Python"));
        Assert.That(Asked(Workplace.In("no-python")), Does.StartWith("RDKit: not computed, ").And.Contain("no-python"));
        Script("cat >/dev/null; echo '{\"reason\": \"no RDKit: none here\"}'");
        Assert.That(Asked(script), Is.EqualTo("RDKit: not computed, no RDKit: none here"));
        int finished = File.ReadAllLines(Path.Combine(output, "molecules.tsv")).Count(l => l.EndsWith("\tfinished", StringComparison.Ordinal));
        Script("echo \"{\\\"read\\\": $(wc -l)}\"");
        Assert.That(Asked(script), Is.EqualTo($"RDKit reads {finished} of the {finished} molecules"));
    }

    /// <summary>Each is one line, and names what does not fit.</summary>
    [Test]
    public void What_does_not_belong_to_a_model_is_refused()
    {
        string other = Workplace.In("other-grammar"), mixed = Workplace.In("mixed"), molecules = Workplace.Write("few.smi", "CCO\nCCN\nCCC\n");
        Run("prepare", "--virtual", "200", "--validation", "0.1", "--grammar", "2.1", "--out", other + "-store");
        Run("train", "--data", other + "-store", "--layers", "1", "--width", "16", "--heads", "2", "--steps", "1", "--validation", "5", "--threads", "1", "--out", other);
        Run("export", "--run", other, "--to", "huggingface", other + "-folder");
        Run("embed", "--run", other, "--molecules", molecules, "--out", other + ".npy");
        foreach (string file in Directory.GetFiles(Workplace.CompleteRun, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(mixed, Path.GetRelativePath(Workplace.CompleteRun, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        foreach (string file in Directory.GetFiles(Path.Combine(other, "model"))) File.Copy(file, Path.Combine(mixed, "model", Path.GetFileName(file)), overwrite: true);
        string damaged = Workplace.In("damaged-folder"), into = Workplace.In("refused");
        Directory.CreateDirectory(damaged);
        foreach (string file in Directory.GetFiles(other + "-folder", "*.json")) File.Copy(file, Path.Combine(damaged, Path.GetFileName(file)));
        File.WriteAllBytes(Path.Combine(damaged, "pytorch_model.bin"), new byte[3000]);
        string[] sample = ["generate", "--count", "1", "--threads", "1", "--out", into];
        foreach ((string named, string[] command) in ((string, string[])[])[
            ("a tokenizer of SELFIES 2.1", [.. sample, "--run", mixed]),
            ("no symbol [Branch1]", [.. sample, "--run", Workplace.CompleteRun, "--prompt", "[Branch1][C]"]),
            ("not SELFIES", [.. sample, "--run", Workplace.CompleteRun, "--prompt", "c1ccccc1", "--prompt-as", "selfies"]),
            ("is there already", ["export", "--run", other, "--to", "huggingface", other + "-folder"]),
            ("pytorch_model.bin", ["import", damaged, "--out", into]),
            ("embeddings of the model", ["nearest", "--embeddings", other + ".npy", "--run", Workplace.CompleteRun, "--query", molecules, "--out", into])])
            Assert.That(BadInputTests.Refused(command).Error, Does.Contain(named), string.Join(' ', command));

        static void Run(params string[] arguments) => Assert.That(CommandLine.Here(arguments) is { ExitCode: 0 }, string.Join(' ', arguments));
    }

    private static Outcome Works(params string[] arguments)
    {
        Outcome outcome = CommandLine.Here([.. Sample, .. arguments]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }
}
