using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using NUnit.Framework;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests.Models;

/// <summary>muP: what it promises over widths, and that each of its four factors is needed for that.</summary>
public class WidthTransferTests
{
    private static readonly ChemGptConfig Narrow = new()
    {
        Layers = 2,
        Width = 24,
        Heads = 4,
        Positions = 16,
        VocabularySize = 24,
        InitStd = 0.1,
        Parametrization = Parametrization.Mup,
        BaseWidth = 72,
    };

    private static readonly TestCaseData[] Omissions =
    [
        Case("matrices' learning rate", "MLP output", s => s with { MatrixRate = 1 }),
        Case("matrices' initial weights", "attention output", s => s with { MatrixStd = 1 }),
        Case("scores", "attention scores", s => s with { Scores = 1 }),
        Case("logits", "logits", s => s with { Logits = 1 }),
    ];

    [Test]
    public void A_few_steps_move_no_activation_more_the_wider_the_model()
    {
        Dictionary<string, double> slopes = CoordinateCheck.Slopes(s => s, 4e-3, steps: 4, seeds: 3);
        foreach ((string activation, double slope) in slopes)
        {
            Expect.Below(slope, 0.15, activation);
            // Queries and keys that have not learnt to point the same way yet: the score of a head of width d goes with d^-1/2.
            Expect.Above(slope, activation == "attention scores" ? -0.75 : -0.3, activation);
        }
    }

    [Test]
    public void Scores_keep_their_size_over_widths_once_queries_and_keys_have_learnt()
    {
        double early = CoordinateCheck.Slopes(s => s, 0.016, steps: 4, seeds: 1)["attention scores"];
        double late = CoordinateCheck.Slopes(s => s, 0.016, steps: 16, seeds: 1)["attention scores"];
        Expect.Above(late, early + 0.2);
        Expect.Between(late, -0.35, 0.15);
    }

    [Test]
    public void In_the_standard_parametrization_everything_but_the_embeddings_moves_more_the_wider_the_model()
    {
        Dictionary<string, double> slopes = CoordinateCheck.Slopes(_ => WidthScaling.None, 4e-3, steps: 4, seeds: 3);
        foreach ((string activation, double slope) in slopes.Where(s => s.Key != "embeddings")) Expect.Above(slope, 0.3, activation);
        Expect.Close(slopes["embeddings"], 0, absolute: 0.15);
    }

    [TestCaseSource(nameof(Omissions))]
    public void Without_one_factor_some_activation_moves_more_the_wider_the_model(Delegate omit, string activation) =>
        Expect.Above(CoordinateCheck.Slopes((Func<WidthScaling, WidthScaling>)omit, 4e-3, steps: 4, seeds: 3)[activation], 0.3);

    [Test]
    public void The_check_looks_at_the_model_itself()
    {
        using var scope = NewDisposeScope();
        using var model = new ChemGpt(Narrow, 3, ScalarType.Float64);
        (Tensor ids, Tensor positions, PackedRows rows, _) = CoordinateCheck.Batch(1);
        Tensor seen = CoordinateCheck.Activations(model, ids, positions, rows)["logits"];
        Expect.Close(seen, model.Logits(ids, positions, rows), absolute: 1e-12);
    }

    [Test]
    public void At_the_base_width_training_is_that_of_the_standard_parametrization_to_the_bit()
    {
        ChemGptConfig config = Narrow with { BaseWidth = Narrow.Width };
        double[] mup = Losses(new ChemGpt(config, 1), null), standard = Losses(new ChemGpt(config with { Parametrization = Parametrization.Standard }, 1), null);
        Assert.That(mup, Is.EqualTo(standard));
        Expect.Below(mup[^1], mup[0]);
    }

    [Test]
    public void Matrices_start_and_learn_by_the_ratio_of_the_widths_and_nothing_else_does()
    {
        using var wide = new ChemGpt(Narrow with { Width = 288 }, 1);
        foreach ((string name, Parameter parameter) in wide.named_parameters())
        {
            bool matrix = name.Contains('.') && parameter.dim() == 2;
            Assert.That(wide.LearningRateFactor(name), Is.EqualTo(matrix ? 0.25 : 1), name);
            if (parameter.dim() == 2) Expect.Close(parameter.std().item<float>(), matrix ? 0.05 : 0.1, relative: 0.03, message: name);
        }
        Assert.That(wide.Scaling, Is.EqualTo(new WidthScaling(0.5, 0.25, 0.25, 0.25)));
    }

    /// <summary>
    /// Under Adam a weight divided by c, with its learning rate, and the product it enters multiplied by c, train the same (Yang et al. 2022,
    /// lemma J.1), weight decay included where lr wd stays. Here each kind of weight has a c of its own.
    /// </summary>
    [Test]
    public void Weights_scaled_with_their_rates_against_the_multipliers_train_the_same([Values] OperatorMode mode)
    {
        TestScope.Mode(mode);
        WidthScaling scaling = WidthScaling.Of(Narrow);
        double stream = 3, queries = 0.7, norm = 1.9;
        // The residual stream shrinks by its factor, and with it what the norms add to its variance.
        ChemGptConfig config = Narrow with { LayerNormEpsilon = Narrow.LayerNormEpsilon / (stream * stream) };
        WidthScaling scaled = scaling with { Scores = scaling.Scores * queries * queries, Logits = scaling.Logits * stream / norm };
        var factors = new Dictionary<string, double>
        {
            ["wte"] = 1 / stream,
            ["wpe"] = 1 / stream,
            ["ln_1_weight"] = norm,
            ["ln_1_bias"] = norm,
            ["qkv"] = 1 / (queries * norm),
            ["out_proj_weight"] = queries / stream,
            ["out_proj_bias"] = 1 / stream,
            ["ln_2_weight"] = norm,
            ["ln_2_bias"] = norm,
            ["c_fc_weight"] = 1 / norm,
            ["c_proj_weight"] = 1 / stream,
            ["c_proj_bias"] = 1 / stream,
            ["ln_f_weight"] = norm,
            ["ln_f_bias"] = norm,
        };
        double Factor(string name) => factors.GetValueOrDefault(name[(name.LastIndexOf('.') + 1)..], 1);
        double[] expected = Losses(new ChemGpt(Narrow, scaling, 2, ScalarType.Float64), null);
        double[] found = Losses(new ChemGpt(config, scaled, 2, ScalarType.Float64), Factor);
        factors["qkv"] *= 1.01;
        double[] other = Losses(new ChemGpt(config, scaled, 2, ScalarType.Float64), Factor);

        Expect.Below(expected[^1], 0.9 * expected[0]);
        Expect.Close(found, expected, absolute: 1e-10);
        Expect.Apart(other[^1], expected[^1], by: 1e-6);
    }

    [Test]
    public void A_muP_model_is_a_GPT_Neo_of_other_weights()
    {
        using var scope = NewDisposeScope();
        using var model = new ChemGpt(Narrow, 3, ScalarType.Float64);
        using var plain = new ChemGpt(Narrow with { Parametrization = Parametrization.Standard }, 9, ScalarType.Float64);
        Dictionary<string, Tensor> tensors = ChemGptWeights.Plain(model).ToDictionary(t => t.Name, t => t.Copy);
        ChemGptWeights.Load(plain, tensors.GetValueOrDefault, "memory");
        (Tensor ids, Tensor positions, PackedRows rows, _) = CoordinateCheck.Batch(1);
        Tensor expected = model.Logits(ids, positions, rows), found = plain.Logits(ids, positions, rows);
        Expect.Close(found, expected, absolute: 1e-12);
        Expect.Above(expected.abs().max().item<double>(), 0.1);
    }

    [Test]
    public void Published_weights_are_not_taken_for_those_of_a_muP_model()
    {
        using var model = new ChemGpt(Narrow);
        Assert.That(() => ChemGptWeights.Load(model, _ => null, "file"), Throws.TypeOf<InputException>().With.Message.Contains("standard"));
    }

    [Test]
    public void An_inner_width_that_does_not_follow_the_width_is_refused()
    {
        Assert.That(() => (Narrow with { InnerWidth = 100 }).Validate(), Throws.TypeOf<InputException>().With.Message.Contains("innerWidth"));
        Assert.That(() => (Narrow with { InnerWidth = 96 }).Validate(), Throws.Nothing);
        Assert.That(() => (Narrow with { BaseWidth = 0 }).Validate(), Throws.TypeOf<InputException>().With.Message.Contains("baseWidth"));
    }

    private static TestCaseData Case(string omitted, string activation, Func<WidthScaling, WidthScaling> omit) =>
        new TestCaseData(omit, activation).SetArgDisplayNames(omitted, activation);

    /// <summary>Twelve steps on two batches in turn, with weight decay; disposes of the model.</summary>
    /// <param name="model">Trained.</param>
    /// <param name="factor">On the initial weights and learning rate of each parameter, above what the model says; null: none.</param>
    private static double[] Losses(ChemGpt model, Func<string, double>? factor)
    {
        using var scope = NewDisposeScope();
        using ChemGpt trained = model;
        using (no_grad())
        {
            foreach ((string name, Parameter parameter) in model.named_parameters())
                if (factor is not null) parameter.mul_(factor(name));
        }
        // An epsilon that matters would have to be scaled too.
        var spec = new OptimizerSpec { WeightDecay = 0.3, Epsilon = 1e-25 };
        using var optimizer = new AdamW(model.named_parameters(), spec, name => model.LearningRateFactor(name) * (factor?.Invoke(name) ?? 1));
        var losses = new double[12];
        for (int step = 0; step < losses.Length; step++)
        {
            (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = CoordinateCheck.Batch(step % 2);
            foreach (Parameter parameter in model.parameters()) parameter.grad = null;
            Tensor loss = model.Loss(ids, positions, rows, targets);
            Gradients.Backward(loss);
            losses[step] = loss.to(ScalarType.Float64).item<double>();
            optimizer.Step(0.01);
        }
        return losses;
    }
}
