using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

public class ChemGptTests
{
    [TearDown]
    public void Reset() => TestScope.Reset();

    [TestCase(16, 77_600)]
    [TestCase(32, 302_656)]
    [TestCase(64, 1_195_136)]
    [TestCase(128, 4_749_568)]
    [TestCase(256, 18_936_320)]
    [TestCase(512, 75_621_376)]
    [TestCase(1024, 302_237_696)]
    [TestCase(2048, 1_208_455_168)]
    public void The_ladder_has_the_published_parameter_counts(int width, long expected) =>
        Assert.That(ChemGptConfig.Ladder(width).NonEmbeddingParameters, Is.EqualTo(expected));

    [TestCase(16)]
    [TestCase(64)]
    public void The_count_summed_from_the_tensors_is_the_formula(int width)
    {
        using var model = new ChemGpt(ChemGptConfig.Ladder(width));
        Assert.That(model.NonEmbeddingParameters, Is.EqualTo(model.Config.NonEmbeddingParameters));
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "gptneo_*.npz"])]
    public void Logits_loss_and_gradients_match_the_reference(string file)
    {
        foreach (OperatorMode mode in (OperatorMode[])[OperatorMode.Composed, OperatorMode.Host, OperatorMode.Kernels])
        {
            using var scope = NewDisposeScope();
            TestScope.Mode(mode);
            var fixture = new GptNeoFixture(file);
            using ChemGpt model = fixture.Model();
            (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = fixture.Packed();
            Tensor logits = model.Logits(ids, positions, rows);
            Tensor loss = model.Loss(ids, positions, rows, targets);
            Gradients.Backward(loss);

            Expect.Close(logits, fixture.RealLogits(), absolute: 1e-10, message: $"{mode} logits");
            Expect.Close(loss.item<double>(), fixture.File.Doubles("loss")[0], absolute: 1e-12, message: $"{mode} loss");
            foreach ((string name, Tensor? gradient) in ChemGptWeights.NamedGradients(model))
                Expect.Close(gradient!, fixture.File.Tensor("g." + name), absolute: 1e-10, message: $"{mode} {name}");
        }
    }

    [Test]
    public void Packed_and_padded_losses_are_equal_to_rounding([Values("gl", "l", "g")] string pattern)
    {
        using var scope = NewDisposeScope();
        var config = new ChemGptConfig { Layers = 3, Width = 24, Heads = 3, Window = 4, Positions = 32, VocabularySize = 20, AttentionPattern = pattern };
        using var model = new ChemGpt(config, seed: 5, dtype: ScalarType.Float64);
        int[] lengths = [7, 1, 19, 2];
        var random = new Random(1);
        int[][] molecules = [.. lengths.Select(n => Enumerable.Range(0, n).Select(_ => random.Next(20)).ToArray())];

        // One molecule at a time knows no packing at all.
        double total = 0;
        int predicted = 0;
        foreach (int[] molecule in molecules.Where(m => m.Length > 1))
        {
            (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = GptNeoFixture.Pack([molecule]);
            total += model.Loss(ids, positions, rows, targets).item<double>() * (molecule.Length - 1);
            predicted += molecule.Length - 1;
        }
        (Tensor i, Tensor p, PackedRows r, Tensor t) = GptNeoFixture.Pack(molecules);
        Expect.Close(model.Loss(i, p, r, t).item<double>(), total / predicted, absolute: 1e-13);
    }

    [Test]
    public void Same_seed_gives_the_same_bits()
    {
        using var a = new ChemGpt(new ChemGptConfig { Layers = 2, Width = 16, Heads = 4 }, seed: 3);
        using var b = new ChemGpt(new ChemGptConfig { Layers = 2, Width = 16, Heads = 4 }, seed: 3);
        using var c = new ChemGpt(new ChemGptConfig { Layers = 2, Width = 16, Heads = 4 }, seed: 4);
        foreach ((var one, var same) in a.parameters().Zip(b.parameters())) Expect.Close(one, same);
        Assert.That(a.parameters().First().eq(c.parameters().First()).all().item<bool>(), Is.False);
    }

    [Test]
    public void A_width_that_heads_do_not_divide_is_refused() =>
        Assert.That(() => new ChemGptConfig { Width = 100, Heads = 16 }.Validate(),
            Throws.TypeOf<ChemScale.Engine.InputException>().With.Message.Contains("16 heads for width 100"));
}
