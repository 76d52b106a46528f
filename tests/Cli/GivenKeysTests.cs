using ChemScale.Engine.Models;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Tests.Studies;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>Whatever is given has its effect, or is refused: no option and no key is ignored or overwritten without a word.</summary>
public sealed class GivenKeysTests
{
    private static readonly string[] SmallLanguage = ["--layers", "1", "--width", "16", "--heads", "2", "--threads", "1"];
    private static readonly string[] SmallField = ["--features", "6", "--interactions", "1", "--cutoff", "3", "--batch", "5", "--threads", "1"];

    private static string frames = "", store = "";

    [OneTimeSetUp]
    public void Make()
    {
        frames = Workplace.In("given.npz");
        store = Workplace.In("given-store");
        SpringFrames.Save(frames, 20);
        Assert.That(CommandLine.Here("prepare", "--frames", frames, "--validation-frames", "5", "--out", store).ExitCode, Is.Zero);
    }

    [TestCase("train --data MOLECULES --set model.vocabularySize=5", "model.vocabularySize"), TestCase("train --data MOLECULES --set model.family=painn", "--model")]
    [TestCase("train --data MOLECULES --set data.fingerprint=0123456789abcdef", "data.fingerprint"), TestCase("train --data MOLECULES --set data.grammar=2.1", "data.grammar")]
    [TestCase("train --data MOLECULES --set data.store=elsewhere", "data.store"), TestCase("train --data MOLECULES --grammar 2.1", "1.0.4")]
    [TestCase("train --data MOLECULES --validation 100000", "100000"), TestCase("train --data MOLECULES --set data.validation=100000", "100000")]
    [TestCase("train --data MOLECULES --set training.batchAtoms=50", "training.batchAtoms"),
        TestCase("train --data MOLECULES --set training.labelLoss.error=l1", "labelLoss.error")]
    [TestCase("train --data MOLECULES --set training.schedule.factor=0.1", "schedule.factor"),
        TestCase("train --data MOLECULES --set training.schedule.floor=0.1", "schedule.floor")]
    [TestCase("train --data MOLECULES --base-width 32", "--base-width"), TestCase("train --data MOLECULES --set model.baseWidth=32", "model.baseWidth")]
    [TestCase("train --data MOLECULES --set model.window=9 model.attentionPattern=g", "model.window")]
    [TestCase("train --data MOLECULES --patience 3 --validate-every never --set training.patience=4", "training.patience")]
    [TestCase("train --model painn --data FRAMES --units kcal/mol", "--units"), TestCase("train --model painn --data FRAMES --set data.grammar=2.1", "data.grammar")]
    [TestCase("train --model painn --data FRAMES --set model.cutoffPower=8", "model.cutoffPower"),
        TestCase("train --model painn --data FRAMES --batch 3 --batch-atoms 9", "--batch")]
    [TestCase("train --model painn --data FRAMES --set training.batchSize=3 training.batchAtoms=9", "training.batchSize"),
        TestCase("train --model painn --data FRAMES --validation 6", "at most 5")]
    [TestCase("train --model painn --data FRAMES --set training.labelLoss.huberDelta=1", "huberDelta"),
        TestCase("train --model painn --data FRAMES --set data.fingerprint=0123456789abcdef", "data.fingerprint")]
    [TestCase("train --model spookynet --data FRAMES --set model.electrostatics=false model.electrostaticCutoff=6", "electrostaticCutoff")]
    [TestCase("tpe --data MOLECULES --lr 1e-3", "--lr"), TestCase("tpe --data MOLECULES --batch 8", "--batch"), TestCase("tpe --data MOLECULES --steps 9", "--steps")]
    [TestCase("tpe --data MOLECULES --patience 3", "--patience"), TestCase("tpe --data MOLECULES --workers 1 --parallel 2", "--parallel"),
        TestCase("tpe --data MOLECULES --partition gpu", "--slurm")]
    [TestCase("tpe --data MOLECULES --set training.epochs=3", "training.epochs"), TestCase("tpe --data MOLECULES --set training.learningRate=0.1", "training.learningRate")]
    [TestCase("sweep --data MOLECULES --vary training.labelLoss.energyWeight=0.1,0.2", "labelLoss.energyWeight"),
        TestCase("sweep --data MOLECULES --vary model.width=16 --workers 1 --parallel 2", "--parallel")]
    [TestCase("sweep --data MOLECULES --vary model.width=16,32 --set model.width=64", "model.width"),
        TestCase("sweep --data MOLECULES --vary model.width=16 --time 1:00:00", "--slurm")]
    public void What_cannot_be_honoured_is_refused(string command, string named)
    {
        string output = Workplace.In("not-honoured");
        string[] words = [.. command.Split(' ').Select(word => word switch { "MOLECULES" => Workplace.Store, "FRAMES" => store, _ => word })];
        Assert.That(BadInputTests.Refused([.. words, "--out", output]).Error, Does.Contain(named));
        Assert.That(Directory.Exists(output), Is.False);
    }

    [Test]
    public void An_experiment_of_other_data_is_refused_unless_an_option_names_the_data()
    {
        Experiment experiment = Experiment.Read(Path.Combine(Workplace.CompleteRun, "experiment.yaml"));
        string file = Workplace.Write("other-data.yaml", (experiment with { Data = experiment.Data with { Fingerprint = "0123456789abcdef" } }).ToYaml());
        Assert.That(BadInputTests.Refused(["train", "--experiment", file, "--out", Workplace.In("not-honoured")]).Error, Does.Contain("fingerprint"));
        string run = Trained("train", "--experiment", file, "--data", Workplace.Store);
        Assert.That(Experiment.Read(Path.Combine(run, "experiment.yaml")).Data.Fingerprint, Is.EqualTo(experiment.Data.Fingerprint));
    }

    // It sets the process's number of threads too.
    [NonParallelizable]
    [TestCase("chemgpt"), TestCase("painn")]
    public void Every_key_that_is_set_stands_in_the_experiment_or_is_refused(string family)
    {
        string[] basis = family == "chemgpt" ? ["train", "--data", Workplace.Store, .. SmallLanguage] : ["train", "--model", family, "--data", store, .. SmallField];
        Experiment plain = Experiment.Read(Path.Combine(Trained(basis), "experiment.yaml"));
        var refused = new List<string>();
        foreach ((string key, string value) in Changed(plain))
        {
            string run = Workplace.In($"key-{family}-{key}");
            Outcome outcome = CommandLine.Here([.. basis, "--steps", "1", "--checkpoint-every", "never", "--out", run, "--set", $"{key}={value}"]);
            if (outcome.ExitCode == 2)
            {
                Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1), key);
                refused.Add(key);
                continue;
            }
            Assert.That(outcome.ExitCode, Is.Zero, $"{key}={value}: {outcome}");
            Dictionary<string, string> found = Lines(Experiment.Read(Path.Combine(run, "experiment.yaml")));
            Assert.That(found[key], Is.EqualTo(value), key);
        }
        // Out of range, of other data, or without effect here: a batch of so many atoms beside one of so many frames.
        string[] always = ["model.family", "data.store", "data.fingerprint", "data.representation", "data.grammar", "data.validation", "training.schedule.floor",
            "training.schedule.cooldown", "training.batchAtoms", "training.batchEdges", "training.emaDecay", "training.attention", "data.atomEnergies",
            "training.labelLoss.kindWeights", "training.initFrom", "training.initWeights", "training.initSymbols", "training.freeze", "training.parent"];
        string[] own = family == "chemgpt"
            ? ["model.baseWidth", "training.schedule.factor", "training.schedule.patience", "training.schedule.threshold",
                "training.labelLoss.energyWeight", "training.labelLoss.forceWeight",
                "training.labelLoss.stressWeight", "training.labelLoss.error", "training.labelLoss.huberDelta"]
            : ["model.cutoffPower", "training.labelLoss.huberDelta"];
        Assert.That(refused, Is.EquivalentTo((string[])[.. always, .. own]));
    }

    [Test]
    public void A_vocabulary_larger_than_the_stores_is_honoured()
    {
        string run = Trained(["train", "--data", Workplace.Store, .. SmallLanguage, "--set", "model.vocabularySize=704"]);
        Assert.That(((ChemGptConfig)Experiment.Read(Path.Combine(run, "experiment.yaml")).Model.Config).VocabularySize, Is.EqualTo(704));
        Outcome generated = CommandLine.Here("generate", "--run", run, "--count", "2", "--max-tokens", "10", "--out", Workplace.In("of-704"));
        Assert.That(generated.ExitCode, Is.Zero, generated.ToString());
    }

    private static string Trained(params string[] command)
    {
        string run = Workplace.In($"given-{Guid.NewGuid():N}");
        Outcome outcome = CommandLine.Here([.. command, "--steps", "1", "--out", run]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return run;
    }

    /// <summary>Every key with another value than the experiment's.</summary>
    private static IEnumerable<(string Key, string Value)> Changed(Experiment experiment)
    {
        foreach ((string key, string value) in Lines(experiment))
        {
            yield return (key, value switch
            {
                "true" => "false",
                "false" => "true",
                "null" => "3",
                _ when key is "model.heads" => "4",
                _ when key is "training.device" => "cpu",
                _ when long.TryParse(value, out long whole) => $"{whole + 2}",
                _ when double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out double number) => Math.Round(number * 0.75, 12)
                    .ToString(System.Globalization.CultureInfo.InvariantCulture).ToLowerInvariant(),
                _ => Other(key),
            });
        }
    }

    private static string Other(string key) => key switch
    {
        "model.family" => "allegro",
        "model.attentionPattern" => "g",
        "model.parametrization" => "mup",
        "model.radialBasis" => "bessel",
        "model.cutoffFunction" => "polynomial",
        "data.store" => "elsewhere",
        "data.fingerprint" => "0123456789abcdef",
        "data.grammar" => "2.1",
        "training.optimizer.name" => "adamw",
        "training.optimizer.moments" => "bfloat16",
        "training.schedule.kind" => "cosine",
        "training.labelLoss.error" => "huber",
        "training.validationInterval" => "2 steps",
        "training.checkpointInterval" => "2 steps",
        "training.operators" => "composed",
        "training.dtype" => "float64",
        "training.attention" => "bfloat16",
        _ => throw new ArgumentException($"another value of {key} is not known here"),
    };

    /// <summary>Dotted key and text of every line of an experiment file that has a value.</summary>
    private static Dictionary<string, string> Lines(Experiment experiment)
    {
        var lines = new Dictionary<string, string>();
        var path = new List<string>();
        foreach (string line in experiment.ToYaml().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int depth = (line.Length - line.TrimStart().Length) / 2;
            string[] parts = line.Trim().Split(':', 2);
            path.RemoveRange(depth, path.Count - depth);
            path.Add(parts[0]);
            if (parts[1].Length > 0) lines[string.Join('.', path)] = parts[1].Trim().Trim('\'');
        }
        return lines;
    }
}
