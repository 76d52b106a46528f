using ChemScale.Engine.Tokens;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Cli;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

/// <summary>Weights of one run as the beginning of another, and complete runs gone on with.</summary>
public sealed class FineTuningTests
{
    private static readonly string[] Small = ["--layers", "1", "--width", "16", "--heads", "2"];
    private static readonly string[] Short = ["--threads", "1", "--warmup", "3", "--lr", "3e-3", "--batch", "16", "--validation", "20", "--limit", "64",
        "--checkpoint-every", "1 epochs"];

    private static TemporaryFolder folder = null!;
    private static string store = "";

    [OneTimeSetUp]
    public static void Prepare()
    {
        folder = new TemporaryFolder();
        store = folder["store"];
        Works("prepare", "--virtual", "300", "--validation", "0.1", "--out", store);
        Works(["train", "--data", store, "--out", folder["two"], .. Small, .. Short, "--epochs", "2"]);
        folder.Write("few.smi", string.Concat(Enumerable.Range(0, 60).Select(i => $"{new string('C', 1 + i / 4)}{"OSNF"[i % 4]}\n")) + "C[Se]C\n");
    }

    [OneTimeTearDown]
    public static void Remove() => folder.Dispose();

    [Test]
    public void A_longer_run_is_what_one_of_that_length_would_have_been()
    {
        string longer = folder["longer"], whole = folder["whole"];
        Works("train", "--resume", folder["two"], "--epochs", "4", "--out", longer);
        Works(["train", "--data", store, "--out", whole, .. Small, .. Short, "--epochs", "4"]);
        Assert.That(Weights(longer), Is.EqualTo(Weights(whole)));
        var run = new RunDirectory(longer);
        Experiment experiment = run.ReadExperiment(), parent = new RunDirectory(folder["two"]).ReadExperiment();
        Assert.That(experiment.Training.Parent, Is.EqualTo($"{parent.Id}@8"));
        Assert.That(experiment.Id, Is.Not.EqualTo(parent.Id).And.Not.EqualTo(new RunDirectory(whole).ReadExperiment().Id));
        Assert.That(File.ReadAllText(run.ExperimentPath), Does.Contain($"parent: {parent.Id}@8"));
        // Its metrics are its own: steps 8 to 15, the same losses.
        string[] Losses(string of, int from) => [.. File.ReadAllLines(new RunDirectory(of).MetricsCsvPath).Skip(1).Where(l => int.Parse(l.Split(',')[1]) >= from)];
        Assert.That(Losses(longer, 0), Is.EqualTo(Losses(whole, 8)));
        Assert.That(Works("train", "--resume", folder["two"], "--epochs", "4", "--out", longer).Output, Does.Contain("16 steps"));
        Works("train", "--resume", "--out", longer);
        Works("verify", longer);
    }

    [Test]
    public void Schedules_that_have_ended_begin_anew_or_not_at_all()
    {
        string cosine = folder["cosine"];
        Works(["train", "--data", store, "--out", cosine, .. Small, .. Short, "--epochs", "2", "--schedule", "cosine"]);
        string[] command = ["train", "--resume", cosine, "--epochs", "3", "--out", folder["cosine-more"]];
        Refuses("cosine", command);
        Works([.. command, "--rewarm"]);
        string[] rates = [.. File.ReadLines(new RunDirectory(folder["cosine-more"]).MetricsJsonPath).Where(l => l.Contains("learning_rate", StringComparison.Ordinal))
            .Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("learning_rate").GetDouble().ToString("G3",
                System.Globalization.CultureInfo.InvariantCulture))];
        Assert.That(rates[..3], Is.EqualTo((string[])["0.001", "0.002", "0.003"]));

        Refuses("--epochs: 2 in all; expected more than the 2", "train", "--resume", folder["two"], "--epochs", "2", "--out", folder["no-longer"]);
        Refuses("--steps: 8 in all; expected more than the 8", "train", "--resume", folder["two"], "--steps", "8", "--out", folder["no-longer"]);
        Assert.That(Directory.Exists(folder["no-longer"]), Is.False, "what is refused begins no run");
        Refuses("width", "train", "--resume", folder["two"], "--epochs", "3", "--width", "32", "--out", folder["wider"]);
        Refuses("batchSize", "train", "--resume", folder["two"], "--epochs", "3", "--batch", "8", "--out", folder["other-batch"]);
        Refuses("--resume", "train", folder["two"], "--epochs", "3", "--out", folder["bare"]);
        Refuses("--resume RUN", "train", "--data", store, "--out", folder["rewarmed"], "--rewarm");
    }

    [Test]
    public void Symbols_keep_their_rows_whatever_their_ids_and_frozen_parameters_stay()
    {
        string tuned = folder["tuned"];
        Outcome outcome = Works(["train", "--init-from", folder["two"], "--molecules", folder["few.smi"], "--out", tuned, "--steps", "3", "--validation", "2", "--threads", "1",
            "--freeze", "wte,wpe,h0.ln_1*", "--lr", "1e-2", "--warmup", "0"]);
        Assert.That(outcome.Error, Does.Contain("tokens begin with what").And.Contain("Se"), "the library has no selenium");
        using var scope = NewDisposeScope();
        (Dictionary<string, Tensor> before, Vocabulary old) = Read(folder["two"]);
        (Dictionary<string, Tensor> after, Vocabulary now) = Read(tuned);
        int known = 0;
        for (int id = 0; id < now.Size; id++)
        {
            if (!old.TryFind(now.Text(id), out ushort from)) continue;
            known++;
            Assert.That(after["wte"].select(0, id).data<float>(), Is.EqualTo(before["wte"].select(0, from).data<float>()), now.Text(id));
        }
        Assert.That(known, Is.EqualTo(old.Size), "symbols that the new data lack are there still");
        Expect.Below(known, now.Size);
        Assert.That(after["wpe"].contiguous().data<float>(), Is.EqualTo(before["wpe"].contiguous().data<float>()));
        string trained = after.Keys.Single(n => n.StartsWith("h0.qkv", StringComparison.Ordinal) || n == "h0.attn_weight");
        Assert.That(after[trained].data<float>(), Is.Not.EqualTo(before[trained].data<float>()));
        Assert.That(new RunDirectory(tuned).ReadExperiment().Training.InitWeights, Does.StartWith(new RunDirectory(folder["two"]).ReadExperiment().Id));
        Works("generate", "--run", tuned, "--count", "3", "--max-tokens", "12", "--out", folder["tuned-molecules"]);

        string[] begin = ["train", "--data", store, "--out", folder["no"], "--init-from"];
        Refuses("no experiment.yaml", [.. begin, folder["nowhere"]]);
        Refuses("width", [.. begin, folder["two"], "--width", "32"]);
        Refuses("h7.*", [.. begin, folder["two"], "--steps", "1", "--validation", "10", "--freeze", "h7.*"]);
        Refuses("which is all", [.. begin, folder["two"], "--steps", "1", "--validation", "10", "--freeze", "*"]);
    }

    /// <summary>Without the run it began with a training still knows which symbols it took over.</summary>
    [TestCase("selfies"), TestCase("smiles")]
    public void What_new_data_lack_is_still_part_of_the_model(string representation)
    {
        string source = folder[$"source-{representation}"], tuned = folder[$"kept-{representation}"], few = folder[$"few-{representation}.smi"];
        string[] representedAs = ["--representation", representation];
        File.WriteAllText(few, string.Concat(Enumerable.Range(0, 40).Select(i => $"{new string('C', 1 + i / 4)}{"OSNF"[i % 4]}\n")));
        string many = folder.Write($"many-{representation}.smi", string.Concat(Enumerable.Range(1, 60).Select(i => $"ClC{new string('C', i)}Br\n")));
        string[] brief = [.. representedAs, "--validation", "2", "--threads", "1"];
        Works(["train", "--molecules", many, .. brief, "--out", source, .. Small, "--steps", "2"]);
        string[] tune = ["train", "--molecules", few, "--init-from", source, .. brief, "--out", tuned, "--steps", "3", "--lr", "1e-2"];
        Outcome outcome = Works(tune);
        Assert.That(outcome.Error, Does.Contain("of which these data lack"));
        TrainingSpec training = new RunDirectory(tuned).ReadExperiment().Training;
        string[] lacking = representation == "smiles" ? ["Br", "Cl"] : ["[Br]", "[Cl]"];
        Assert.That(training.InitSymbols!.Split(' '), Is.SupersetOf(lacking));
        Vocabulary now = Tokenizer.Load(new RunDirectory(tuned).ModelFiles.Find("tokenizer.json")).Vocabulary;
        Assert.That(((Engine.Models.ChemGptConfig)new RunDirectory(tuned).ReadExperiment().Model.Config).VocabularySize, Is.EqualTo(now.Size));
        foreach (string symbol in lacking) Assert.That(now.TryFind(symbol, out _), symbol);
        // The prompt is one of a molecule that these data have not.
        Works("generate", "--run", tuned, "--prompt", "ClCC", "--count", "2", "--max-tokens", "12", "--out", folder[$"kept-molecules-{representation}"]);
        Works("verify", tuned);

        Directory.Delete(source, recursive: true);
        Works("train", "--resume", "--out", tuned);
        Works("train", "--resume", tuned, "--steps", "5", "--out", tuned + "-longer");
    }

    [Test]
    public void Sweeps_fine_tune_too()
    {
        string sweep = folder["sweep"];
        Works("sweep", "--data", store, "--init-from", folder["two"], "--steps", "2", "--validation", "10", "--threads", "1", "--parallel", "1", "--vary",
            "training.learningRate=1e-3,1e-2",
            "--out", sweep);
        foreach (string run in Directory.GetDirectories(sweep).Where(d => new RunDirectory(d).IsStarted))
            Assert.That(new RunDirectory(run).ReadExperiment().Training.InitWeights, Is.Not.Null);
    }

    private static byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(new RunDirectory(run).Checkpoints().List()[0], "model.safetensors"));

    private static (Dictionary<string, Tensor> Tensors, Vocabulary Vocabulary) Read(string run)
    {
        var directory = new RunDirectory(run);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(directory.Checkpoints().List()[0], "model.safetensors"));
        return (file.Entries.Keys.ToDictionary(n => n, file.Read), Tokenizer.Load(directory.ModelFiles.Find("tokenizer.json")).Vocabulary);
    }

    private static Outcome Works(params string[] arguments)
    {
        Outcome outcome = ChemScale.Tests.Cli.CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }

    private static void Refuses(string named, params string[] arguments) => Assert.That(BadInputTests.Refused(arguments).Error, Does.Contain(named));
}
