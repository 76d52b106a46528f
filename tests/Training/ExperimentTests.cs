using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

public class ExperimentTests
{
    private const string Short = """
        model: {family: chemgpt, width: 64}
        data: {store: runs/moses, subset: 10000}
        training: {epochs: 10, learningRate: 5e-4}
        """;

    [Test]
    public void What_is_written_reads_back_equal_and_spells_every_default_out()
    {
        Experiment read = Experiment.Parse(Short, "e.yaml");
        string yaml = read.ToYaml();
        Assert.That(Experiment.Parse(yaml, "again"), Is.EqualTo(read));
        Assert.That(Experiment.Parse(yaml, "again").ToYaml(), Is.EqualTo(yaml));
        Assert.That(yaml, Does.Contain("layers: 24").And.Contain("weightDecay: 0.01").And.Contain("epsilon: 1.0e-08"));
        Assert.That(yaml, Does.Contain("learningRate: 0.0005").And.Contain("clipNorm: null").And.Contain("seed: 42"));
        Assert.That(yaml, Does.Contain("checkpointInterval: 10 minutes"));
    }

    [Test]
    public void Every_field_survives_the_file()
    {
        var experiment = new Experiment
        {
            Model = ModelSpec.Of(new ChemGptConfig
            {
                Layers = 2,
                Width = 8,
                InnerWidth = 5,
                Heads = 4,
                Window = 3,
                AttentionPattern = "l",
                Positions = 64,
                VocabularySize = 50,
                LayerNormEpsilon = 1e-6,
                InitStd = 0.1,
            }),
            Data = new DataSpec
            {
                Store = "null",
                Fingerprint = "# abc: d",
                Grammar = SelfiesGrammar.V2,
                Subset = 12_345_678_901,
                Validation = 7,
            },
            Training = new TrainingSpec
            {
                Optimizer = new OptimizerSpec
                {
                    Beta1 = 0.8,
                    Beta2 = 0.95,
                    Epsilon = 1e-7,
                    WeightDecay = 0.1,
                    Moments = MomentPrecision.Bfloat16,
                },
                LearningRate = 1.0 / 3,
                Schedule = new ScheduleSpec { Kind = ScheduleKind.Cosine, WarmupSteps = 5, Floor = 0.25 },
                BatchSize = 3,
                Accumulation = 2,
                ClipNorm = 1.5,
                Epochs = 4,
                Steps = 99,
                EmaDecay = 0.999,
                ValidationInterval = Interval.Epochs(0.2),
                CheckpointInterval = Interval.Never,
                Patience = 6,
                Dtype = Precision.Float64,
                Threads = 2,
                Device = ComputeDevice.Cuda,
            },
            Seed = -5,
        };
        Assert.That(Experiment.Parse(experiment.ToYaml(), "e.yaml"), Is.EqualTo(experiment));
    }

    [Test]
    public void The_identity_does_not_depend_on_order_spelling_or_place()
    {
        string id = Experiment.Parse(Short, "a.yaml").Id;
        Assert.That(id, Does.Match("^[0-9a-f]{16}$"));
        Assert.That(Experiment.Parse("""
            seed: 42
            training:
              learningRate: 0.0005
              device: cuda
              threads: 7
              checkpointInterval: 1 steps
              optimizer: {weightDecay: 1e-2, name: adamw}
              epochs: 10
              steps: none
            data: {subset: 10000, store: runs/moses}
            model: {width: 64, layers: 24, family: chemgpt}
            """, "elsewhere/b.yaml").Id, Is.EqualTo(id));
        Experiment virtualLibrary = Experiment.Parse("{model: {family: chemgpt}, training: {steps: 1}}", "c");
        Experiment spelledOut = Experiment.Parse("{model: {family: chemgpt}, training: {steps: 1}, data: {grammar: 1.0.4}}", "d");
        Assert.That(spelledOut.Id, Is.EqualTo(virtualLibrary.Id));
    }

    [Test]
    public void The_identity_depends_on_whatever_changes_a_result()
    {
        Experiment e = Experiment.Parse(Short, "a.yaml");
        Experiment[] others =
        [
            e with { Seed = 43 },
            e with { Model = ModelSpec.Of(new ChemGptConfig { Width = 32 }) },
            e with { Model = ModelSpec.Of((ChemGptConfig)e.Model.Config with { Parametrization = Parametrization.Mup }) },
            e with { Model = ModelSpec.Of((ChemGptConfig)e.Model.Config with { Parametrization = Parametrization.Mup, BaseWidth = 32 }) },
            e with { Data = e.Data with { Subset = null } },
            e with { Data = e.Data with { Store = "runs/pubchem" } },
            e with { Data = e.Data with { Fingerprint = "f00" } },
            e with { Training = e.Training with { BatchSize = 9 } },
            e with { Training = e.Training with { Dtype = Precision.Float64 } },
            e with { Training = e.Training with { Attention = AttentionPrecision.Bfloat16 } },
            e with { Training = e.Training with { ValidationInterval = Interval.Steps(3) } },
            e with { Training = e.Training with { Schedule = new ScheduleSpec { Kind = ScheduleKind.Cosine } } },
            e with { Training = e.Training with { Optimizer = new OptimizerSpec { Beta2 = 0.99 } } },
        ];
        Assert.That(others.Select(o => o.Id).Append(e.Id), Is.Unique);
        DataSpec marked = e.Data with { Fingerprint = "f00" };
        Assert.That((e with { Data = marked with { Store = "moved" } }).Id, Is.EqualTo((e with { Data = marked }).Id));
    }

    [Test]
    public void The_identity_of_a_known_experiment_stays_what_it_is()
    {
        // Run folders are named after it: a change here orphans them.
        Assert.That(Experiment.Parse(Short, "a.yaml").Id, Is.EqualTo("74e119030736edc1"));
    }

    [TestCase("", "is empty")]
    [TestCase("- 1", "not a mapping")]
    [TestCase("model: {family: chemgpt", "e.yaml:")]
    [TestCase("{training: {epochs: 1}}", "no model section")]
    [TestCase("{model: {family: chemgpt}}", "neither epochs nor steps")]
    [TestCase("{model: {width: 8}, training: {epochs: 1}}", "has no family")]
    [TestCase("{model: {family: chemgpd}, training: {epochs: 1}}",
        "model.family: 'chemgpd'; expected one of chemgpt, schnet, painn, spookynet, allegro. HINT: did you mean chemgpt?")]
    [TestCase("{model: {family: chemgpt, widht: 8}, training: {epochs: 1}}", "model.widht: unknown key. HINT: did you mean width?")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, learning_rate: 1}}",
        "training.learning_rate: unknown key. HINT: did you mean learningRate?")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, xyzzy: 1}}", "HINT: known here: optimizer, learningRate")]
    [TestCase("{model: {family: chemgpt}, trainnig: {epochs: 1}}", "trainnig: unknown key. HINT: did you mean training?")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: many}}", "training.epochs: 'many'; expected a whole number")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1.5}}", "training.epochs: '1.5'; expected a whole number")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 99999999999}}", "expected a whole number")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: [1]}}", "training.epochs: a list; expected a single value")]
    [TestCase("{model: {family: chemgpt}, training: 3}", "training: '3'; expected a mapping")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 0}}", "training.epochs: 0; expected at least 1")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, learningRate: -1}}", "training.learningRate: -1; expected at least 0")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, learningRate: nan}}", "expected a finite number")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, learningRate: null}}", "training.learningRate: null; expected a value")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, clipNorm: 0}}", "training.clipNorm: 0; expected above 0")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, optimizer: {beta1: 1}}}",
        "training.optimizer.beta1: 1; expected at least 0 and below 1")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, optimizer: {name: sgd}}}", "'sgd'; expected adamw")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, dtype: float16}}", "'float16'; expected float32 or float64")]
    [TestCase("{model: {family: chemgpt, width: 256}, training: {epochs: 1, attention: bfloat16}}",
        "training.attention: bfloat16 on the CPU; expected training.device: cuda")]
    [TestCase("{model: {family: chemgpt, width: 128}, training: {epochs: 1, attention: bfloat16, device: cuda}}",
        "training.attention: bfloat16 for heads 8 wide; expected heads 16, 32, 64 or 128 wide")]
    [TestCase("{model: {family: chemgpt, width: 256}, training: {epochs: 1, attention: bfloat16, device: cuda, dtype: float64}}",
        "training.attention: bfloat16 for weights in float64; expected training.dtype: float32")]
    [TestCase("{model: {family: schnet}, training: {epochs: 1, attention: bfloat16, device: cuda}}", "bfloat16 for schnet")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, attention: float16}}", "'float16'; expected weights or bfloat16")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, validationInterval: often}}", "expected an interval")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1, validationInterval: 2 minutes}}", "expected epochs, steps or never")]
    [TestCase("{model: {family: chemgpt, width: 24}, training: {epochs: 1}}",
        "model.heads: 16 heads for width 24; expected a divisor of the width")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1}, data: {grammar: 3}}", "data.grammar: '3'; expected 1.0.4, 2.1 or 2.2")]
    [TestCase("{model: {family: chemgpt}, training: {epochs: 1}, seed: x}", "seed: 'x'; expected a whole number")]
    public void A_mistake_is_named_with_file_key_and_what_was_expected(string yaml, string message)
    {
        Assert.That(() => Experiment.Parse(yaml, "e.yaml"),
            Throws.TypeOf<InputException>().With.Message.StartsWith("e.yaml").And.Message.Contains(message));
    }

    [Test]
    public void Mistakes_carry_the_line_they_are_on()
    {
        Assert.That(() => Experiment.Parse("model:\n  family: chemgpt\ntraining:\n  epochs: 1\n  batchsize: 4\n", "e.yaml"),
            Throws.TypeOf<InputException>()
                .With.Message.EqualTo("e.yaml:5: training.batchsize: unknown key. HINT: did you mean batchSize?"));
        Assert.That(() => Experiment.Parse("model:\n  family: chemgpt\ntraining:\n  epochs: 1\n  epochs: 2\n", "e.yaml"),
            Throws.TypeOf<InputException>().With.Message.StartsWith("e.yaml:5"));
    }

    [Test]
    public void A_missing_file_and_a_binary_file_are_the_users_mistakes()
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => Experiment.Read(folder["none.yaml"]), Throws.TypeOf<InputException>().With.Message.Contains("none.yaml"));
        File.WriteAllBytes(folder["binary"], [.. Enumerable.Range(0, 256).Select(i => (byte)i)]);
        Assert.That(() => Experiment.Read(folder["binary"]), Throws.TypeOf<InputException>().With.Message.Contains("binary"));
        Assert.That(() => Experiment.Read(folder.Path), Throws.TypeOf<InputException>());
    }

    [Test]
    public void Experiments_built_in_code_are_held_to_the_same_bounds()
    {
        var experiment = new Experiment { Model = ModelSpec.Of(new ChemGptConfig()), Training = new TrainingSpec { Epochs = 1 } };
        Assert.That(() => experiment.Validated(), Throws.Nothing);
        Assert.That(() => (experiment with { Training = experiment.Training with { BatchSize = 0 } }).Validated(),
            Throws.TypeOf<InputException>().With.Message.EqualTo("experiment: training.batchSize: 0; expected at least 1"));
        TrainingSpec undefined = experiment.Training with { Optimizer = new OptimizerSpec { Epsilon = double.NaN } };
        Assert.That(() => (experiment with { Training = undefined }).Validated(),
            Throws.TypeOf<InputException>().With.Message.Contains("training.optimizer.epsilon"));
        Assert.That(() => (experiment with { Model = ModelSpec.Of(new ChemGptConfig { Heads = 0 }) }).Validated(),
            Throws.TypeOf<InputException>());
    }

    [TestCase("0.25 epochs", 8, new[] { 2, 4, 6, 8, 10, 12, 14, 16 })]
    [TestCase("1 epoch", 5, new[] { 5, 10, 15 })]
    [TestCase("0.4 epochs", 5, new[] { 2, 4, 6, 8, 10, 12, 14, 16 })]
    [TestCase("0.5 epochs", 5, new[] { 3, 5, 8, 10, 13, 15 })]
    [TestCase("2 epochs", 3, new[] { 6, 12 })]
    [TestCase("0.1 epochs", 10, new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 })]
    [TestCase("7 steps", 3, new[] { 7, 14 })]
    [TestCase("never", 3, new int[0])]
    public void Intervals_fall_due_at_their_multiples(string text, int stepsPerEpoch, int[] due)
    {
        Assert.That(Interval.TryParse(text, out Interval interval), Is.True);
        Assert.That(Enumerable.Range(1, 16).Where(s => interval.DueAfter(s, stepsPerEpoch)), Is.EqualTo(due));
    }
}
