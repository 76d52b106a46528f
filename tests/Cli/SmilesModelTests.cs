using System.Text.Json;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Conversion;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Models;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Cli;

/// <summary>A model of SMILES through every command that takes a language model.</summary>
public sealed class SmilesModelTests
{
    private static readonly string[] Small = ["--layers", "1", "--heads", "2", "--threads", "1", "--warmup", "5", "--lr", "1e-2", "--batch", "16"];

    private static TemporaryFolder folder = null!;

    private static string Run => folder["run"];

    [OneTimeSetUp]
    public static void Train()
    {
        folder = new TemporaryFolder();
        Works("prepare", "--virtual", "300", "--validation", "0.1", "--representation", "smiles", "--split", "molecule", "--out", folder["store"]);
        Works(["train", "--data", folder["store"], "--out", Run, .. Small, "--width", "32", "--steps", "80", "--validate-every", "40 steps"]);
    }

    [OneTimeTearDown]
    public static void Remove() => folder.Dispose();

    [Test]
    public void The_run_knows_what_it_reads()
    {
        var run = new RunDirectory(Run);
        Assert.That(File.ReadAllText(run.ExperimentPath), Does.Contain("representation: smiles").And.Contain("grammar: null"));
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(Run, Fail);
        Assert.That(trained.Tokenizer.Notation.Name, Is.EqualTo("SMILES"));
        Works("verify", Run);
        Works("verify", folder["store"]);
    }

    [Test]
    public void The_loss_per_molecule_is_the_mean_over_molecules_of_all_their_tokens()
    {
        using DisposeScope scope = NewDisposeScope();
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(Run, Fail);
        using TokenStore store = TokenStore.Open(folder["store"]);
        double sum = 0;
        long tokens = 0;
        using (no_grad())
        {
            for (long i = 0; i < store.Validation.Documents; i++)
            {
                int[] ids = [.. store.Validation.Document(i).ToArray().Select(id => (int)id)];
                (Tensor packed, Tensor positions, var rows, _) = GptNeoFixture.Pack([ids]);
                double[] logits = [.. trained.Model.Logits(packed, positions, rows).to(ScalarType.Float64).data<double>()];
                int width = logits.Length / ids.Length;
                for (int t = 0; t + 1 < ids.Length; t++)
                {
                    double[] row = logits[(t * width)..((t + 1) * width)];
                    double most = row.Max();
                    sum += most + Math.Log(row.Sum(l => Math.Exp(l - most))) - row[ids[t + 1]];
                    tokens++;
                }
            }
        }
        var directory = new RunDirectory(Run);
        JsonElement last = File.ReadLines(directory.MetricsJsonPath).Select(l => JsonDocument.Parse(l).RootElement).Last(r => r.GetProperty("kind").GetString() == "validation");
        double perMolecule = sum / store.Validation.Documents;
        Expect.Close(last.GetProperty("val_loss_per_molecule").GetDouble(), perMolecule, ofLargest: 1e-5);
        Expect.Close(last.GetProperty("val_loss").GetDouble(), sum / tokens, ofLargest: 1e-5);
        RunFacts facts = RunFacts.Read(Run);
        Expect.Close(facts.TokensPerMolecule!.Value, tokens / (double)store.Validation.Documents, ofLargest: 1e-14);
        Expect.Close(directory.ReadResult().FinalValidationLoss!.Value * facts.TokensPerMolecule.Value, perMolecule, ofLargest: 1e-5);

        // The same by way of the molecules' SMILES.
        File.WriteAllLines(folder["held.smi"], Texts(store.Validation, store));
        using JsonDocument scored = JsonDocument.Parse(
            Works("score", "--run", Run, "--molecules", folder["held.smi"], "--out", folder["scores.csv"], "--threads", "1", "--json").Output);
        Expect.Close(Property(scored.RootElement, "natsPerMolecule"), perMolecule, ofLargest: 1e-5);
        Expect.Close(Property(scored.RootElement, "withUnknown"), 0);
    }

    [Test]
    public void What_is_drawn_is_read_and_counted_and_a_sampling_goes_on()
    {
        string whole = folder["drawn"], parts = folder["drawn-parts"];
        string[] sample = ["generate", "--run", Run, "--seed", "4", "--threads", "1", "--max-tokens", "60"];
        Outcome outcome = Works([.. sample, "--count", "150", "--out", whole]);
        string[] lines = File.ReadAllLines(Path.Combine(whole, "molecules.tsv"));
        Assert.That(lines[0], Is.EqualTo("drawn\tsmiles\tend"));
        string[][] rows = [.. lines.Skip(1).Select(l => l.Split('\t'))];
        var reader = new SmilesReader();
        var reasons = new Dictionary<string, int>();
        int valid = 0;
        foreach (string[] row in rows)
        {
            bool read = row[0].Length == 0 || reader.TryRead(row[0], new Molecule());
            Assert.That(row[1], Is.EqualTo(read ? row[0] : "!ERROR"));
            if (row[2] != "finished" || row[0].Length == 0) continue;
            if (read) valid++;
            else reasons[reader.Reason] = reasons.GetValueOrDefault(reader.Reason) + 1;
        }
        Expect.Above(valid, 0);
        Expect.Above(reasons.Count, 0, "a model this small makes mistakes");
        Assert.That(outcome.Error, Does.Contain($"150 sequences: {valid:N0} molecules").And.Contain($"{reasons.Values.Sum():N0} that do not decode"));
        foreach ((string reason, int count) in reasons) Assert.That(outcome.Error, Does.Contain($"  {count:N0}: {reason}"));
        string[] drawn = [.. rows.Select(r => r[0])];
        Assert.That(string.Concat(drawn), Does.Not.Contain("[UNK]").And.Not.Contain("[PAD]").And.Not.Contain("[CLS]"));

        Works([.. sample, "--count", "40", "--out", parts]);
        Outcome resumed = Works([.. sample, "--count", "150", "--resume", "--out", parts]);
        Assert.That(File.ReadAllText(Path.Combine(parts, "molecules.tsv")), Is.EqualTo(File.ReadAllText(Path.Combine(whole, "molecules.tsv"))));
        Assert.That(resumed.Error.Replace(parts, whole, StringComparison.Ordinal), Is.EqualTo(outcome.Error));

        // The column smiles is what other commands read of it.
        Outcome embedded = Works("embed", "--run", Run, "--molecules", Path.Combine(whole, "molecules.tsv"), "--out", folder["drawn.npy"], "--threads", "1");
        Assert.That(embedded.Output, Does.Contain("molecules"));
    }

    [Test]
    public void A_prompt_is_a_beginning_of_SMILES()
    {
        string[] sample = ["generate", "--run", Run, "--threads", "1", "--max-tokens", "60", "--count", "5", "--out", folder["prompted"]];
        foreach (string prompt in (string[])["CC", "C(", "CC=", "C1CC"])
        {
            Outcome outcome = Works([.. sample, "--prompt", prompt]);
            Assert.That(outcome.Output.TrimEnd('\n').Split('\n'), Has.All.StartsWith(prompt));
            Assert.That(outcome.Error, Does.Contain($"prompt: {prompt}\n"));
        }
        foreach ((string prompt, string named) in new[] { ("C)", "branch"), ("=C", "bond"), ("[Xe]C", "[Xe]"), ("C==", "character"), ("[C][C]", "[C]") })
            Assert.That(BadInputTests.Refused([.. sample, "--prompt", prompt]).Error, Does.Contain("prompt").And.Contain(named), prompt);
        Assert.That(BadInputTests.Refused([.. sample, "--prompt", "CC", "--prompt-as", "selfies"]).Error, Does.Contain("SMILES"));
    }

    [Test]
    public void Embeddings_are_searched()
    {
        File.WriteAllLines(folder["few.smi"], ["CCO", "CCN", "c1ccccc1", "CCCC"]);
        Works("embed", "--run", Run, "--molecules", folder["few.smi"], "--out", folder["few.npy"], "--threads", "1");
        Works("nearest", "--embeddings", folder["few.npy"], "--query", folder["few.smi"], "-k", "1", "--out", folder["nearest.tsv"]);
        string[] lines = File.ReadAllLines(folder["nearest.tsv"]);
        foreach (string molecule in (string[])["CCO", "CCN", "CCCC"]) Assert.That(lines.Count(l => l.Split('\t').Count(f => f == molecule) == 2), Is.EqualTo(1), molecule);
        Works("nearest", "--embeddings", folder["few.npy"], "--query", folder["few.smi"], "-k", $"{int.MaxValue}", "--out", folder["all.tsv"]);
        Assert.That(File.ReadAllLines(folder["all.tsv"]), Has.Length.EqualTo(1 + 4 * 4));
    }

    [Test]
    public void What_is_read_is_not_written_over_by_whatever_name()
    {
        File.WriteAllLines(folder["own.smi"], ["CCO", "CCN"]);
        File.CreateSymbolicLink(folder["linked.smi"], folder["own.smi"]);
        Works("embed", "--run", Run, "--molecules", folder["own.smi"], "--out", folder["own.npy"], "--threads", "1");
        byte[] molecules = File.ReadAllBytes(folder["own.smi"]), embeddings = File.ReadAllBytes(folder["own.npy"]);
        foreach (string[] command in (string[][])[
            ["score", "--run", Run, "--molecules", folder["own.smi"], "--out", folder["own.smi"]],
            ["score", "--run", Run, "--molecules", folder["linked.smi"], "--out", folder["own.smi"]],
            ["embed", "--run", Run, "--molecules", folder["own.smi"], "--out", folder["linked.smi"]],
            ["nearest", "--embeddings", folder["own.npy"], "--query", folder["own.smi"], "--out", folder["own.npy"]]])
            Assert.That(CommandLine.Here([.. command, "--threads", "1"]), Has.Property("ExitCode").EqualTo(2), string.Join(' ', command));
        Assert.That(File.ReadAllBytes(folder["own.smi"]), Is.EqualTo(molecules));
        Assert.That(File.ReadAllBytes(folder["own.npy"]), Is.EqualTo(embeddings));
    }

    [Test]
    public void Weights_go_out_and_come_in_and_begin_another_run_of_SMILES_alone()
    {
        Works("export", "--run", Run, "--to", "huggingface", folder["exported"]);
        Assert.That(File.ReadAllText(folder["exported/README.md"]), Does.Contain("molecules as SMILES").And.Contain("tokenizer(\"CC\""));
        Works("import", folder["exported"], "--out", folder["imported"]);
        string[] sample = ["generate", "--threads", "1", "--count", "5", "--temperature", "0", "--out", folder["greedy"]];
        Assert.That(Works([.. sample, "--run", folder["imported"]]).Output, Is.EqualTo(Works([.. sample, "--run", Run]).Output));
        Assert.That(BadInputTests.Refused(["import", folder["exported"], "--grammar", "2.1", "--out", folder["imported-2"]]).Error, Does.Contain("SMILES"));

        Works("train", "--init-from", Run, "--data", folder["store"], "--steps", "2", "--threads", "1", "--out", folder["tuned"]);
        Assert.That(BadInputTests.Refused(["train", "--init-from", Run, "--data", Workplace.Store, "--steps", "2", "--threads", "1", "--out", folder["crossed"]]).Error,
            Does.Contain("selfies"));
        Assert.That(BadInputTests.Refused(["train", "--data", folder["store"], "--representation", "selfies", "--out", folder["crossed"]]).Error, Does.Contain("--representation"));
        Assert.That(BadInputTests.Refused(["train", "--data", folder["store"], "--grammar", "2.1", "--out", folder["crossed"]]).Error, Does.Contain("SMILES"));
    }

    [Test]
    public void Lines_become_tokens_of_SMILES_and_come_back()
    {
        string file = folder["store/tokenizer.json"];
        string ids = CommandLine.Run(["convert", "--to", "tokens", "--tokenizer", file], "CCO\nC1CC\n"u8.ToArray()).Output;
        Assert.That(ids.Split('\n')[1], Is.EqualTo("!ERROR unclosed ring 1"));
        Assert.That(ids.Split('\n')[0].Split(' '), Has.Length.EqualTo(5));
        string line = ids.Split('\n')[0] + "\n";
        Assert.That(Converted(line, LineForm.Tokens, LineForm.Smiles), Is.EqualTo("CCO\n"));
        Assert.That(Converted(line, LineForm.Tokens, LineForm.Selfies), Is.EqualTo("[C][C][O]\n"));
        Assert.That(Converted(line, LineForm.Tokens, LineForm.Key), Is.EqualTo(Converted("OCC\n", LineForm.Smiles, LineForm.Key)));
        Assert.That(Converted("[C][C][O]\n", LineForm.Selfies, LineForm.Tokens), Is.EqualTo(line));

        string Converted(string text, LineForm from, LineForm to)
        {
            using var written = new StringWriter();
            LineConversion.Run(new StringReader(text), written, new ConversionOptions { From = from, To = to, Tokenizer = Tokenizer.Load(file), Threads = 1 }, default);
            return written.ToString();
        }
    }

    [Test]
    public void A_fit_of_runs_takes_nats_per_molecule()
    {
        string[] runs = [.. new[] { 8, 16, 32 }.Select(width => folder[$"w{width}"])];
        foreach ((string run, string width) in runs.Zip((string[])["8", "16", "32"]))
            Works(["train", "--data", folder["store"], "--out", run, .. Small, "--width", width, "--steps", "20"]);
        double[] Losses(params string[] more)
        {
            Outcome outcome = CommandLine.Here(["fit", .. runs, "--resource", "parameters", "--bootstrap", "0", "--json", .. more]);
            using JsonDocument fit = JsonDocument.Parse(outcome.Output);
            return [.. fit.RootElement.GetProperty("claim").GetProperty("points").EnumerateArray().Select(p => p.GetProperty("value").GetDouble())];
        }
        double factor = RunFacts.Read(runs[0]).TokensPerMolecule!.Value;
        Expect.Close(Losses("--loss", "loss_per_molecule"), [.. Losses().Select(l => l * factor)], ofLargest: 1e-12);
        Assert.That(BadInputTests.Refused(["fit", .. runs, "--resource", "parameters", "--loss", "val"]).Error, Does.Contain("loss_per_molecule"));

        // SELFIES beside SMILES, and molecules that are written one way beside others that are not: said with the claim.
        string[] Cautions(params string[] more)
        {
            using JsonDocument fit = JsonDocument.Parse(CommandLine.Here(["fit", .. runs, .. more, "--resource", "parameters", "--pool", "--bootstrap", "0", "--json"]).Output);
            return [.. fit.RootElement.GetProperty("claim").GetProperty("cautions").EnumerateArray().Select(c => c.GetString()!)];
        }
        Assert.That(Cautions(), Has.None.Contains("SELFIES").And.None.Contains("one way"));
        Assert.That(Cautions(Workplace.CompleteRun), Has.Some.Contains("some losses are of tokens of SELFIES"));
        Assert.That(Cautions(Workplace.CompleteRun, "--loss", "loss_per_molecule"), Has.None.Contains("SELFIES"));
        string canonical = folder["canonical"];
        Works("prepare", "--virtual", "300", "--validation", "0.1", "--representation", "smiles", "--split", "molecule", "--canonical", "--out", canonical);
        Works(["train", "--data", canonical, "--out", folder["w12"], .. Small, "--width", "12", "--steps", "20"]);
        Assert.That(Cautions(folder["w12"]), Has.Some.Contains("written one way each"));
        Outcome against = CommandLine.Here("prepare", "--out", canonical, "--against", folder["store"]);
        Assert.That(against.Error, Does.Contain("warning").And.Contain("written one way each").And.Contain("as they were given"));
        Assert.That(CommandLine.Here("prepare", "--out", folder["store"], "--against", folder["store"]).Error, Is.Empty);
    }

    private static IEnumerable<string> Texts(TokenSplit split, TokenStore store) =>
        Enumerable.Range(0, (int)split.Documents).Select(i => store.Tokenizer.Decode(split.Document(i)));

    private static double Property(JsonElement element, string name) =>
        element.EnumerateObject().Single(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value.GetDouble();

    private static void Fail(string message) => Assert.Fail(message);

    private static Outcome Works(params string[] arguments)
    {
        Outcome outcome = CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }
}
