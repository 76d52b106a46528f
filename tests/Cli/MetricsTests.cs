using System.Text.Json;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>metrics measures a set of molecules against another one, and says what it cannot.</summary>
public sealed class MetricsTests
{
    private const string Generated = "CCO\nOCC\nc1ccc(Cc2ccccc2)cc1\nC(\nCC(=O)Nc1ccccc1\nCCN\n", Reference = "CCO\nCCCl\nc1ccc(Cc2ccccc2)cc1O\nCC(=O)Nc1ccccc1C\n";

    [Test]
    public void A_set_is_measured_in_a_table_in_json_and_on_a_page()
    {
        string generated = Workplace.Write("generated.smi", Generated), reference = Workplace.Write("reference.smi", Reference);
        string training = Workplace.Write("training.smi", "OCC\nNCC\n");
        string folder = Workplace.In("measured");
        Outcome outcome = CommandLine.Here("metrics", "--generated", generated, "--reference", reference, "--training", training, "--out", folder);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        foreach (string name in (string[])["valid", "unique@1k", "novelty", "internal diversity 1", "scaffold similarity", "weight", "tokens", "QED", "FCD"])
            Assert.That(outcome.Output, Does.Contain("\n  " + name));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "metrics.json")));
        JsonElement root = json.RootElement;
        Assert.Multiple(() =>
        {
            Assert.That((root.GetProperty("generated").GetInt32(), root.GetProperty("valid").GetInt32(), root.GetProperty("reference").GetInt32()), Is.EqualTo((6, 5, 4)));
            Expect.Close(root.GetProperty("unique").GetProperty("share").GetDouble(), 0.8, absolute: 1e-12);
            Expect.Close(root.GetProperty("novelty").GetDouble(), 0.5, absolute: 1e-12);
            // Phenylbenzylmethane in both, nothing else with two rings.
            Expect.Close(root.GetProperty("scaffoldSimilarity").GetDouble(), 1, absolute: 1e-12);
            JsonElement charge = root.GetProperty("distributions").EnumerateArray().Single(d => d.GetProperty("name").GetString() == "charge of molecules");
            Expect.Close(charge.GetProperty("wasserstein").GetDouble(), 0, absolute: 0);
        });
        string page = File.ReadAllText(Path.Combine(folder, "metrics.html"));
        foreach (string section in (string[])["weight", "heavy-atoms", "ring-sizes", "elements", "tokens"]) Assert.That(page, Does.Contain($"id=\"{section}\""));
    }

    [Test]
    public void Generates_own_table_and_selfies_can_be_measured()
    {
        string table = Workplace.Write("molecules.tsv", "SELFIES\tSMILES\n[C][C][O]\tCCO\n[C][C]\t\n[C][C][N]\tCCN\n");
        string reference = Workplace.Write("some.txt", "[C][C][O]\n[C][N]\n");
        Outcome smiles = CommandLine.Here("metrics", "--generated", table, "--reference", Workplace.Write("some.smi", "CCO\n"), "--out", Workplace.In("a"), "--json");
        Assert.That(smiles.ExitCode, Is.Zero, smiles.Error);
        using (JsonDocument json = JsonDocument.Parse(smiles.Output))
            Assert.That((json.RootElement.GetProperty("generated").GetInt32(), json.RootElement.GetProperty("valid").GetInt32()), Is.EqualTo((3, 2)));
        Outcome selfies = CommandLine.Here("metrics", "--generated", reference, "--reference", reference, "--kind", "selfies", "--out", Workplace.In("b"), "--json");
        Assert.That(selfies.ExitCode, Is.Zero, selfies.Error);
        using (JsonDocument json = JsonDocument.Parse(selfies.Output)) Expect.Close(json.RootElement.GetProperty("nearestNeighborSimilarity").GetDouble(), 1, absolute: 1e-12);
    }

    /// <summary>Rings of acyclic molecules, say: null, which JSON can hold.</summary>
    [TestCase("CCO\nCCN\n", "c1ccccc1\nC1CCC1O\n", "ring sizes"), TestCase("c1ccccc1\n", "CCO\nCC\n", "ring sizes")]
    public void What_one_side_has_no_value_of_has_no_distance(string generated, string reference, string name)
    {
        Outcome outcome = CommandLine.Here("metrics", "--generated", Workplace.Write("one.smi", generated), "--reference", Workplace.Write("other.smi", reference),
            "--out", Workplace.In("one-sided"), "--json");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        using JsonDocument json = JsonDocument.Parse(outcome.Output);
        JsonElement found = json.RootElement.GetProperty("distributions").EnumerateArray().Single(d => d.GetProperty("name").GetString() == name);
        Assert.That(found.GetProperty("divergence").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [TestCase("", "is empty")]
    [TestCase("C(\n((\n", "no valid molecule in 2 lines")]
    [TestCase(null, "none.smi")]
    public void A_reference_without_molecules_is_one_line(string? content, string named)
    {
        string generated = Workplace.Write("generated.smi", Generated), reference = content is null ? Workplace.In("none.smi") : Workplace.Write("empty.smi", content);
        foreach (string[] files in (string[][])[["--generated", generated, "--reference", reference], ["--generated", reference, "--reference", generated],
            ["--generated", generated, "--reference", generated, "--training", reference]])
        {
            Outcome outcome = CommandLine.Here(["metrics", .. files, "--out", Workplace.In("refused")]);
            Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Error);
            Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
            Assert.That(outcome.Error, Does.Contain(named).And.Contain(Path.GetFileName(reference)));
        }
    }

    [Test]
    public void Leakage_between_stores_is_counted_and_a_file_of_constraints_is_read()
    {
        string one = Workplace.Write("one.smi", "CCO\nCCN\nCCC\nCCCC\n"), other = Workplace.Write("other.smi", "OCC\nC(C)N\nCCF\nF[P-](F)(F)(F)(F)F\n");
        string bonds = Workplace.Write("bonds.json", "{\"C\": 4, \"N\": 3, \"O\": 2, \"F\": 1, \"P-1\": 6, \"?\": 8}");
        string first = Workplace.In("first"), second = Workplace.In("second");
        Assert.That(CommandLine.Here("prepare", "--molecules", one, "--out", first, "--validation", "0").ExitCode, Is.Zero);
        Outcome outcome = CommandLine.Here(
            "prepare", "--molecules", other, "--out", second, "--validation", "0", "--grammar", "2.2", "--constraints", bonds, "--against", first, "--json");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        using (JsonDocument json = JsonDocument.Parse(outcome.Output))
        {
            Assert.That(json.RootElement.GetProperty("leakage").GetProperty("trainInTrain").GetInt32(), Is.EqualTo(2));
            Assert.That(json.RootElement.GetProperty("taken").GetInt32(), Is.EqualTo(4));
        }
        Outcome again = CommandLine.Here("prepare", "--out", second, "--against", first);
        Assert.That(again.Output, Does.Contain("of 4 train: 2 in its train"));
        Outcome refused = CommandLine.Here("prepare", "--molecules", one, "--out", first, "--overwrite", "--constraints", Workplace.Write("wrong.json", "{\"C\": 4}"));
        Assert.That((refused.ExitCode, refused.ErrorLines.Length), Is.EqualTo((2, 1)));
        Assert.That(refused.Error, Does.Contain("wrong.json").And.Contain("?"));
    }

    [Test]
    public void A_molecule_is_converted_to_what_says_it_alone()
    {
        byte[] lines = "OCC\nC(C)O\nC1=CC=CC=C1\nc1ccccc1\nC(\n"u8.ToArray();
        string[] canonical = CommandLine.Run(["convert", "--to", "canonical"], lines).Output.Split('\n');
        string[] keys = CommandLine.Run(["convert", "--to", "key"], lines).Output.Split('\n');
        Assert.That((canonical[0], canonical[2]), Is.EqualTo((canonical[1], canonical[3])));
        Assert.That((keys[0], keys[2]), Is.EqualTo((keys[1], keys[3])));
        Assert.That(keys[0], Has.Length.EqualTo(32).And.Not.EqualTo(keys[2]));
        Assert.That((canonical[4][..6], keys[4][..6]), Is.EqualTo(("!ERROR", "!ERROR")));
    }
}
