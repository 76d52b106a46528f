using System.IO.Compression;
using System.Text;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Whatever is wrong with what was given: one line on standard error, exit code 2, nothing written.</summary>
public sealed class BadInputTests
{
    private static readonly string[] Misspelt =
    [
        "", "frobnicate", "train --nope", "train --nope 3", "train extra", "prepare molecules.smi", "study molecules.smi", "train --steps", "train --batch",
        "train --lr", "train --out", "train --lr --steps 3", "prepare --grammar --threads 1 --virtual 3", "prepare --molecules", "train --steps many",
        "train --lr 1e-3 --lr 1e-4", "train --resume=yes", "train --schedule linear", "prepare --fragments 7 --virtual 3", "sweep", "fit", "help frobnicate",
    ];

    private static readonly string[] OutOfRange =
    [
        "--batch 0", "--lr -1", "--lr nan", "--steps 0", "--epochs 0", "--limit 0", "--limit 100000", "--accumulation 0", "--patience 0", "--clip -1",
        "--ema 1", "--warmup -1", "--validate-every often", "--checkpoint-every 0", "--operators quick", "--grammar 3 --molecules x.smi", "--data elsewhere",
        "--experiment nowhere.yaml", "--width 0", "--heads 3", "--layers 0", "--size 100", "--size 64 --layers 2", "--threads -1", "--device cuda",
        "--parametrization maximal", "--base-width 0",
    ];

    private static readonly string[] Experiments =
    [
        "", "model: [", "- a", "model: 3", "training: {steps: 3}", "model: {family: gpt5}", "model: {family: chemgpt, widht: 16}",
        "model: {family: chemgpt, width: wide}", "model: {family: chemgpt}\ntraining: {learningRate: fast}", "model: {family: chemgpt}\nextra: 1",
        "model: {family: chemgpt, parametrization: mup, innerWidth: 100}\ntraining: {steps: 1}", "\0\u0001",
    ];

    private static readonly string[] Sweeps =
    [
        "model.hidden=1,2", "widht=1,2", "model.width", "model.width=", "model.width=x", "model.heads=2,3", "model.width=16,16", "training.steps=0", "model=1",
        "model.parametrization=standard,maximal",
    ];

    private static readonly string[] Generations =
    [
        "--temperature -1", "--temperature nan", "--count 0", "--top-k -1", "--max-tokens 1", "--threads -1", "--prompt [Nope]", "--prompt nope", "--prompt [C",
        "--prompt CCO --prompt-as selfies", "--prompt [C][O] --prompt-as smiles", "--prompt [C][Branch1][C] --prompt-as selfies", "--prompt [Xe]", "--prompt-as picture",
        "--max-tokens 5000", "--max-tokens 0", "--top-p 0", "--top-p 1.5", "--repetition-penalty 0", "--no-repeat -1", "--batch 0",
        "--run nowhere", "--run STORE", "--out IMPOSSIBLE",
    ];

    private static readonly string[] Fits =
    [
        "good.csv", "good.csv --n size", "good.csv --n n --loss l", "good.csv --n n --family cubic", "good.csv --n n --level 2", "good.csv --n n --bootstrap -1",
        "good.csv --n n --drop-highest -1", "good.csv --n n --drop-highest 9", "good.csv --n n --huber -1", "good.csv --n n --resource data", "nowhere.csv --n n",
        "text.csv --n n", "few.csv --n n", "negative.csv --n n", "ragged.csv --n n", "twice.csv --n n", "empty.csv --n n", "binary.csv --n n", "STORE", "RUN",
        "good.csv few.csv --n n", "good.csv --n n --at 1e5,1e6", "good.csv --n n --at big", "good.csv --n n --at 0", "good.csv --n n --target-loss -1",
        "good.csv --n n --compute 1e18", "good.csv --n n --weight w", "good.csv --n n --resampling some",
    ];

    private static readonly string[] Estimates =
    [
        "nowhere.csv", "nowhere", "curves.csv --probe 0", "curves.csv --probe 2", "curves.csv --probe-epochs 9", "curves.csv --estimator best",
        "curves.csv --epoch-column day", "curves.csv --loss-column l", "curves.csv --power a=nowhere.csv", "curves.csv --power z=curves.csv", "curves.csv --power a",
        "curves.csv curves.csv", "no-column.csv", "words.csv", "backwards.csv", "curves.csv --html IMPOSSIBLE", "STORE", "curves.csv --estimator last-validation",
    ];

    private static readonly string[] Searches =
    [
        "--space cube", "--space sobol --rates 1e-3", "--count 3", "--space sobol --count 0", "--space sobol --batch-range 5,7", "--space sobol --rate-range 1,0.1",
        "--space log-uniform --batch-range x", "--space log-uniform --rate-range 1e-3,1e-3 --batch-range 8,8 --count 2", "--estimator best", "--keep all",
        "--rates x", "--epochs 1", "--cpus 2", "--schedule cosine --estimator annealed",
    ];

    [TestCaseSource(nameof(Misspelt))]
    public void Misspelt_commands_are_refused(string arguments) => Refused(Words(arguments));

    [TestCaseSource(nameof(OutOfRange))]
    public void Trainings_that_cannot_be_are_refused_before_anything_is_written(string options)
    {
        string[] words = Words(options);
        // Each option once.
        string[] shape = [.. ((string[])["--data", "--width", "--heads", "--layers", "--threads"]).Zip([Workplace.Store, "16", "2", "1", "1"])
            .Where(p => !words.Contains(p.First) && !words.Contains("--size") && !(p.First == "--data" && words.Contains("--molecules")))
            .SelectMany(p => (string[])[p.First, p.Second])];
        if (words.Contains("--size") && !words.Contains("--layers")) shape = ["--data", Workplace.Store];
        Refused(["train", .. shape, .. words, "--out", Workplace.In("refused")]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCase("--batch 0", "--batch: 0; expected at least 1"), TestCase("--heads 3", "--heads: 3 heads"), TestCase("--size 64 --layers 2", "--size: given beside --layers")]
    [TestCase("--features 8", "--features: given for chemgpt"), TestCase("--frames a.xyz", "--frames: "), TestCase("--validate-every often", "--validate-every: 'often'")]
    [TestCase("--set model.width=wide", "--set: model.width: 'wide'"), TestCase("--model gpt5", "--model: 'gpt5'"), TestCase("--limit 0", "--limit: 0")]
    public void A_mistake_is_named_by_its_option(string options, string message)
    {
        Assert.That(Refused(["train", .. Words(options), "--out", Workplace.In("refused")]).Error, Does.StartWith("chemscale: " + message));
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [Test]
    public void A_refused_training_prepares_no_data()
    {
        Refused(["train", "--batch", "0", "--out", Workplace.In("refused")]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCaseSource(nameof(Experiments))]
    public void Experiment_files_that_are_none_are_refused(string yaml)
    {
        string file = Workplace.Write("bad.yaml", yaml);
        Outcome outcome = Refused(["train", "--experiment", file, "--data", Workplace.Store, "--out", Workplace.In("refused")]);
        Assert.That(outcome.Error, Does.Contain(file), "the line names the file");
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCaseSource(nameof(Sweeps))]
    public void Sweeps_over_what_is_no_setting_are_refused(string vary)
    {
        Refused([.. Workplace.Train("refused", "--steps", "2", "--vary", vary).Select((word, i) => i == 0 ? "sweep" : word)]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCaseSource(nameof(Generations))]
    public void Samplings_that_cannot_be_are_refused(string options)
    {
        string[] words = Words(options);
        string[] run = words.Contains("--run") ? [] : ["--run", Workplace.CompleteRun];
        string[] output = words.Contains("--out") ? [] : ["--out", Workplace.In("refused")];
        Refused(["generate", .. run, .. output, .. words]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCaseSource(nameof(Fits))]
    public void Points_that_support_no_fit_are_refused(string arguments)
    {
        Workplace.Write("good.csv", "n,loss\n1e3,2\n1e4,1.5\n1e5,1.2\n1e6,1.1\n");
        Workplace.Write("text.csv", "n,loss\n1e3,2\n1e4,about 1.5\n1e5,1.2\n1e6,1.1\n");
        Workplace.Write("few.csv", "n,loss\n1e3,2\n");
        Workplace.Write("negative.csv", "n,loss\n1e3,2\n1e4,-1.5\n1e5,1.2\n");
        Workplace.Write("ragged.csv", "n,loss\n1e3,2\n1e4\n1e5,1.2\n");
        Workplace.Write("twice.csv", "n,n,loss\n1e3,1,2\n1e4,1,1\n1e5,1,1.2\n");
        Workplace.Write("empty.csv", "");
        Workplace.Write("binary.csv", Noise(4000));
        Refused(["fit", .. Words(arguments).Select(w => w.EndsWith(".csv", StringComparison.Ordinal) ? Workplace.In(w) : w)]);
    }

    [TestCaseSource(nameof(Estimates))]
    public void Curves_that_support_no_estimate_are_refused(string arguments)
    {
        Workplace.Write("curves.csv", "epoch,a,b\n0,3,2\n1,2,1.5\n2,1.5,1.4\n3,1.4,1.3\n4,1.3,1.2\n");
        Workplace.Write("no-column.csv", "a,b\n1,2\n");
        Workplace.Write("words.csv", "epoch,a,b\n0,3,about 2\n");
        Workplace.Write("backwards.csv", "run,epoch,loss\na,1,2\na,0,3\n");
        Refused(["estimate", .. Words(arguments).Select(w => w.EndsWith(".csv", StringComparison.Ordinal) && !w.Contains('=') ? Workplace.In(w) : w)]);
    }

    [TestCaseSource(nameof(Searches))]
    public void Searches_that_cannot_be_are_refused_before_anything_is_written(string options)
    {
        string[] training = Workplace.Train("refused", "--epochs", "4", "--limit", "64");
        Refused(["tpe", .. training.Skip(1).Where(word => word is not ("--lr" or "1e-3")), .. Words(options)]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCase("empty.smi"), TestCase("binary.smi"), TestCase("cut.smi.gz"), TestCase("nowhere.smi"), TestCase("molecules.pdf"), TestCase("refused-all.smi")]
    [TestCase("no-column.csv")]
    public void Molecules_that_cannot_be_read_are_refused_and_a_store_there_stays(string name)
    {
        Workplace.Write("empty.smi", "");
        Workplace.Write("binary.smi", Noise(5000));
        Workplace.Write("molecules.pdf", "%PDF-1.4\n");
        Workplace.Write("refused-all.smi", "C1CC\nnot-a-molecule\n");
        Workplace.Write("no-column.csv", "a,b\n1,2\n");
        using (var packed = new MemoryStream())
        {
            using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
                gzip.Write(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(1, 3000).Select(i => $"{new string('C', i % 40 + 1)}O\n"))));
            Workplace.Write("cut.smi.gz", packed.ToArray()[..^20]);
        }
        string store = Workplace.In($"kept-{name}");
        CommandLine.Here("prepare", "--molecules", Workplace.Write("one.smi", "CCO\nCCN\n"), "--out", store);
        Dictionary<string, byte[]> before = Workplace.Content(store);
        Assert.That(before, Is.Not.Empty);

        Refused(["prepare", "--molecules", Workplace.In(name), "--out", Workplace.In("refused")]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
        Refused(["prepare", "--molecules", Workplace.In(name), "--out", store, "--overwrite"]);
        Assert.That(Workplace.Content(store), Is.EqualTo(before));
    }

    [Test]
    public void A_store_is_replaced_only_on_demand()
    {
        string molecules = Workplace.Write("two.smi", "CCO\nCCN\n"), store = Workplace.In("replaced");
        Assert.That(CommandLine.Here("prepare", "--molecules", molecules, "--out", store).ExitCode, Is.Zero);
        Dictionary<string, byte[]> before = Workplace.Content(store);
        File.WriteAllText(molecules, "c1ccccc1\n");
        Refused(["prepare", "--molecules", molecules, "--out", store]);
        Assert.That(Workplace.Content(store), Is.EqualTo(before));
        Assert.That(CommandLine.Here("prepare", "--molecules", molecules, "--out", store, "--overwrite").ExitCode, Is.Zero);
        Assert.That(Workplace.Content(store), Is.Not.EqualTo(before));
    }

    [Test]
    public void Bad_lines_are_counted_by_reason_and_the_rest_is_taken()
    {
        string file = Workplace.Write("lines.smi", "CCO ethanol\nC1CC\n\r\n" + new string('C', 1_000_000) + "\n\u00e9\nCCN\tamine\r\n");
        Outcome outcome = CommandLine.Here("prepare", "--molecules", file, "--out", Workplace.In("lines"), "--json");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        using var report = System.Text.Json.JsonDocument.Parse(outcome.Output);
        Assert.That(report.RootElement.GetProperty("molecules").GetInt64(), Is.EqualTo(2));
        Assert.That(report.RootElement.GetProperty("refusedCount").GetInt64(), Is.EqualTo(3));
        Assert.That(outcome.Output, Does.Contain("unclosed ring").And.Contain("lines.smi:2"));
        Expect.Below(outcome.Output.Length, 10_000, "a long line is not repeated whole");
    }

    [TestCase("{\"a\": 1}"), TestCase("hello"), TestCase(""), TestCase("[]"), TestCase("{\"version\": \"1.0\", \"model\": {\"type\": \"BPE\"}}")]
    public void A_tokenizer_that_is_none_is_refused(string content)
    {
        string file = Workplace.Write("bad-tokenizer.json", content);
        string molecules = Workplace.Write("molecules.smi", "CCO\n");
        Refused(["convert", "--to", "tokens", "--tokenizer", file]);
        Refused(["prepare", "--molecules", molecules, "--tokenizer", file, "--out", Workplace.In("refused")]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [TestCase("--to tokens"), TestCase("--from tokens"), TestCase("--from smiles --to smiles"), TestCase("--threads 0"), TestCase("--grammar 3"), TestCase("--from inchi")]
    [TestCase("--to tokens --tokenizer nowhere.json"), TestCase("--threads 1000000")]
    public void Conversions_that_cannot_be_are_refused(string options) => Refused(["convert", .. Words(options)]);

    [Test]
    public void Folders_that_cannot_be_written_are_refused()
    {
        string impossible = Workplace.Impossible, molecules = Workplace.Write("molecules.smi", "CCO\n");
        Refused(["prepare", "--molecules", molecules, "--out", impossible]);
        Refused([.. Workplace.Train("x", "--steps", "2").Select(word => word == Workplace.In("x") ? impossible : word)]);
        Refused(["generate", "--run", Workplace.CompleteRun, "--out", impossible]);
    }

    [Test]
    public void A_process_ends_with_code_2_and_one_line()
    {
        Outcome outcome = CommandLine.Run(["trian"]);
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(2));
            Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
            Assert.That(outcome.Output, Is.Empty);
        });
    }

    internal static Outcome Refused(string[] arguments)
    {
        Outcome outcome = CommandLine.Here(arguments);
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
            Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1), outcome.ToString());
            Assert.That(outcome.Error, Does.StartWith("chemscale: ").And.Not.Contain("   at "));
            Assert.That(outcome.Output, Is.Empty);
        });
        return outcome;
    }

    private static string[] Words(string arguments) =>
        [.. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word switch
        {
            "STORE" => Workplace.Store,
            "RUN" => Workplace.CompleteRun,
            "IMPOSSIBLE" => Workplace.Impossible,
            _ => word,
        })];

    private static byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }
}
