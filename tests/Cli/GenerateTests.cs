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
        Assert.That(BadInputTests.Refused([.. Sample, "--count", "10", "--resume", "--out", grown]).Error, Does.Contain("--count").And.Contain("60"));
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

    private static Outcome Works(params string[] arguments)
    {
        Outcome outcome = CommandLine.Here([.. Sample, .. arguments]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }
}
