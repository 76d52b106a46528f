using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Tests.Models;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The attention kernels against the composed form and the host form.</summary>
public class AttentionKernelTests : OperatorFixture
{
    private static readonly int[] HeadWidths = [1, 2, 4, 8, 16, 32, 64, 128];

    [Test]
    public void Float64_kernels_agree_with_composed_and_host_forms(
        [ValueSource(nameof(HeadWidths))] int headWidth, [Values(1, 3, 16)] int heads, [Values(0, 5, 40)] int window) =>
        // Many heads only repeat what few do: fewer tokens then, over two tiles.
        Agree(heads > 3 ? [1, 37, 1] : [1, 37, 32, 1, 70], headWidth, heads, window);

    [TestCase(0)]
    [TestCase(5)]
    [TestCase(256)]
    public void Long_molecules_agree(int window) => Agree([300, 1, 257], 8, 2, window);

    [TestCaseSource(nameof(HeadWidths))]
    public void Full_warps_agree_with_the_composed_form(int headWidth)
    {
        TestScope.Warps();
        // A wide head takes two tiles already, and many shuffles, each of which the CPU's threads must meet for.
        Agree([1, 9], headWidth, 3, 0);
        Agree([9], headWidth, 1, 4);
    }

    [TestCase(40, 4, 3, 0)]
    [TestCase(40, 16, 3, 7)]
    [TestCase(12, 32, 5, 0)]
    public void Full_warps_agree_over_several_tiles(int longest, int headWidth, int heads, int window)
    {
        TestScope.Warps();
        Agree([longest, 2], headWidth, heads, window);
    }

    [Test]
    public void Full_warps_of_float32_agree([Values(2, 8, 64)] int headWidth)
    {
        TestScope.Warps();
        using var rows = Rows([1, 9]);
        (Tensor qkv, Tensor gradient) = Random(rows, 3 * headWidth);
        (Tensor o, Tensor g) = Run(OperatorMode.Kernels, qkv.to(ScalarType.Float32), gradient.to(ScalarType.Float32), rows, 3, 4);
        (Tensor expected, Tensor expectedGradient) = Run(OperatorMode.Composed, qkv, gradient, rows, 3, 4);
        Expect.Close(o, expected, absolute: 1e-4);
        Expect.Close(g, expectedGradient, absolute: 1e-4 * headWidth);
    }

    [Test]
    public void Float32_error_is_at_most_twice_that_of_the_composed_form(
        [ValueSource(nameof(HeadWidths))] int headWidth, [Values(2, 16)] int heads)
    {
        using var rows = Rows(heads > 2 ? [37, 46] : [37, 37, 46, 80]);
        (Tensor qkv, Tensor gradient) = Random(rows, heads * headWidth);
        Tensor single = qkv.to(ScalarType.Float32), singleGradient = gradient.to(ScalarType.Float32);
        Tensor same = single.to(ScalarType.Float64), sameGradient = singleGradient.to(ScalarType.Float64);
        (Tensor o, Tensor g) exact = Run(OperatorMode.Composed, same, sameGradient, rows, heads, 0);
        (Tensor o, Tensor g) composed = Run(OperatorMode.Composed, single, singleGradient, rows, heads, 0);
        (Tensor o, Tensor g) kernels = Run(OperatorMode.Kernels, single, singleGradient, rows, heads, 0);
        Float32Errors.AtMostTwice(["output", "gradient"], [kernels.o, kernels.g], [composed.o, composed.g], [exact.o, exact.g]);
    }

    [Test]
    public void Every_derivative_matches_finite_differences([Values(0, 3)] int window, [Values(1, 4)] int headWidth)
    {
        using var rows = Rows([1, 4]);
        Operation kernels = Kernels(rows, 4 / headWidth, headWidth, window);
        kernels.MatchesFiniteDifferences();
        kernels.Gradient.MatchesFiniteDifferences();
    }

    [Test]
    public void Second_derivatives_equal_the_composed_ones() => AttentionTests.SecondDerivativesAreComposedOnes(OperatorMode.Kernels);

    [Test]
    public void An_empty_batch_gives_nothing()
    {
        using var rows = new PackedRows([0]);
        Tensor nothing = zeros(0, 24, dtype: ScalarType.Float64);
        (Tensor o, Tensor g) = Run(OperatorMode.Kernels, nothing, zeros(0, 8, dtype: ScalarType.Float64), rows, 2, 0);
        Assert.That(o.shape, Is.EqualTo(new long[] { 0, 8 }));
        Assert.That(g.shape, Is.EqualTo(new long[] { 0, 24 }));
    }

    [Test]
    public void Huge_scores_neither_overflow_nor_lose_the_softmax([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        using var rows = Rows([20, 3]);
        (Tensor qkv, Tensor gradient) = Random(rows, 8);
        // Few bits, so that scores of a hundred million are exact, and equal ones are equal.
        qkv = (qkv * 8).round() * 1024;
        (Tensor expected, Tensor expectedGradient) = Run(OperatorMode.Composed, qkv, gradient, rows, 2, 0, 1);
        (Tensor o, Tensor g) = Run(OperatorMode.Kernels, qkv.to(dtype), gradient.to(dtype), rows, 2, 0, 1);
        Assert.That(o.isfinite().all().item<bool>() && g.isfinite().all().item<bool>(), Is.True);
        Expect.Close(o, expected, ofLargest: 1e-6);
        if (dtype == ScalarType.Float64) Expect.Close(g, expectedGradient, ofLargest: 1e-9);
    }

    [Test]
    public void Inputs_may_lie_anywhere()
    {
        using var rows = Rows([7, 2]);
        (Tensor qkv, Tensor gradient) = Random(rows, 8);
        Tensor shifted = cat([zeros(1, dtype: ScalarType.Float64), qkv.flatten()]).narrow(0, 1, qkv.numel()).view(qkv.shape);
        Tensor turned = qkv.t().contiguous().t();
        (Tensor expected, Tensor expectedGradient) = Run(OperatorMode.Kernels, qkv, gradient, rows, 2, 0);
        foreach (Tensor input in (Tensor[])[shifted, turned])
        {
            TestScope.Mode(OperatorMode.Kernels);
            Tensor leaf = input.detach().requires_grad_();
            Tensor o = Attention.Apply(leaf, rows, 2, 0, 0.7);
            Gradients.Backward(o, gradient.t().contiguous().t());
            Expect.Close(o, expected);
            Expect.Close(leaf.grad!, expectedGradient);
        }
    }

    [Test]
    public void The_form_for_long_sequences_agrees_with_the_composed_one([Values(0, 5)] int window)
    {
        using var rows = Rows([40, 3, 17]);
        (Tensor qkv, Tensor gradient) = Random(rows, 12);
        Tensor[] composed = Of(AttentionComposed.Apply), library = Of(AttentionLibrary.Apply);
        for (int i = 0; i < 2; i++) Expect.Close(library[i], composed[i], absolute: 1e-12);

        Tensor[] Of(Func<Tensor, PackedRows, int, int, double, Tensor> form)
        {
            Tensor leaf = qkv.clone().requires_grad_();
            Tensor output = form(leaf, rows, 3, window, 0.7);
            return [output.detach(), Gradients.Of([output], [leaf], [gradient])[0]];
        }
    }

    [Test]
    public void Head_widths_without_kernels_take_another_form() => Agree([7, 12], 12, 3, 0);

    [Test]
    public void Repeats_are_bitwise_equal([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        using var rows = Rows(warps ? [3, 1] : [30, 1, 15]);
        Kernels(rows, 2, 8, 9).RepeatsItself(second: false, warps);
    }

    [Test]
    public void ChemGpt_trains_to_the_same_losses()
    {
        double[] kernels = Losses(OperatorMode.Kernels), composed = Losses(OperatorMode.Composed);
        double apart = kernels.Zip(composed, (a, b) => Math.Abs(a - b)).Max();
        TestContext.Out.WriteLine($"{composed[0]:f6} to {composed[^1]:f6}; apart {apart:e2}");
        Expect.Close(kernels, composed, absolute: 1e-9);
        Expect.Below(composed[^1], composed[0]);

        static double[] Losses(OperatorMode mode)
        {
            TestScope.Mode(mode);
            var config = new ChemGptConfig
            {
                Layers = 2,
                Width = 16,
                Heads = 4,
                Window = 6,
                Positions = 32,
                VocabularySize = 20,
                AttentionPattern = "gl",
            };
            using var model = new ChemGpt(config, seed: 5, dtype: ScalarType.Float64);
            using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
            var random = new Random(1);
            int[][] molecules = [.. ((int[])[7, 1, 19, 2]).Select(n => Enumerable.Range(0, n).Select(_ => random.Next(20)).ToArray())];
            (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = GptNeoFixture.Pack(molecules);
            using PackedRows owned = rows;
            var losses = new double[20];
            for (int step = 0; step < losses.Length; step++)
            {
                Tensor loss = model.Loss(ids, positions, rows, targets);
                Gradients.Backward(loss);
                optimizer.Step(1e-3);
                foreach (var p in model.parameters()) p.grad?.zero_();
                losses[step] = loss.item<double>();
            }
            return losses;
        }
    }

    /// <summary>Output and gradients to 1e-12 of the sums of absolute terms.</summary>
    private static void Agree(int[] lengths, int headWidth, int heads, int window)
    {
        using PackedRows rows = Rows(lengths);
        (Tensor qkv, Tensor gradient) = Random(rows, heads * headWidth);
        (Tensor output, Tensor gradient) terms = AttentionTerms.Of(qkv, gradient, rows, heads, window, 0.7);
        (Tensor o, Tensor g) = Run(OperatorMode.Kernels, qkv, gradient, rows, heads, window);
        foreach (OperatorMode mode in (OperatorMode[])[OperatorMode.Composed, OperatorMode.Host])
        {
            (Tensor expected, Tensor expectedGradient) = Run(mode, qkv, gradient, rows, heads, window);
            TestContext.Out.WriteLine($"from {mode}:");
            AbsoluteTerms.Agree(["output", "gradient"], [o, g], [expected, expectedGradient], [terms.output, terms.gradient]);
        }
    }

    private static Operation Kernels(PackedRows rows, int heads, int headWidth, int window)
    {
        TestScope.Mode(OperatorMode.Kernels);
        return new Operation(["qkv"], [Random(rows, heads * headWidth).Qkv], x => [Attention.Apply(x[0], rows, heads, window, 0.7)]);
    }

    private static PackedRows Rows(int[] lengths) => new([0, .. lengths.Select((_, b) => lengths[..(b + 1)].Sum())]);

    private static (Tensor Qkv, Tensor Gradient) Random(PackedRows rows, int width)
    {
        using Generator generator = new(7);
        return (randn(rows.Tokens, 3 * width, dtype: ScalarType.Float64, generator: generator),
            randn(rows.Tokens, width, dtype: ScalarType.Float64, generator: generator));
    }

    private static (Tensor Output, Tensor Gradient) Run(
        OperatorMode mode, Tensor qkv, Tensor gradient, PackedRows rows, int heads, int window, double scale = 0.7)
    {
        TestScope.Mode(mode);
        Tensor leaf = qkv.detach().clone().requires_grad_();
        Tensor output = Attention.Apply(leaf, rows, heads, window, scale);
        Gradients.Backward(output, gradient);
        return (output.detach().to(ScalarType.Float64), leaf.grad!.to(ScalarType.Float64));
    }
}
