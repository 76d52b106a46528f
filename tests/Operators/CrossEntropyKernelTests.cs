using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The cross-entropy's kernels.</summary>
public class CrossEntropyKernelTests : OperatorKernelTests
{
    private protected override string[] Names => ["loss", "logits"];

    [Test]
    public void A_real_vocabulary_agrees_with_the_composed_form([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        Tensor[] inputs = Inputs(warps ? 5 : 2_000, 684, ScalarType.Float64);
        Tensor[] kernels = Everything(OperatorMode.Kernels, inputs), composed = Everything(OperatorMode.Composed, inputs);
        AbsoluteTerms.Agree(Names, kernels, composed, Terms(inputs));
    }

    [Test]
    public void Large_logits_neither_overflow_nor_vanish([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        Tensor[] inputs = [Normal([33, 100], 8, dtype) * 1_000];
        Tensor[] kernels = Everything(OperatorMode.Kernels, inputs), composed = Everything(OperatorMode.Composed, inputs);
        Expect.Close(kernels[0], composed[0], absolute: 1e-8, relative: 1e-6);
        Expect.Close(kernels[1], composed[1], absolute: 1e-5, relative: 1e-5);
    }

    [Test]
    public void Ignored_rows_have_no_gradient_and_a_batch_of_them_no_mean()
    {
        Tensor logits = Normal([4, 10], 8, ScalarType.Float64).requires_grad_();
        TestScope.Mode(OperatorMode.Kernels);
        Gradients.Backward(CrossEntropy.Apply(logits, tensor(new[] { 3, CrossEntropy.Ignored, 9, CrossEntropy.Ignored })));
        Assert.That(Largest(logits.grad![1]) + Largest(logits.grad![3]), Is.Zero);
        Assert.That(CrossEntropy.Apply(logits, full(4, CrossEntropy.Ignored, dtype: ScalarType.Int64)).item<double>(), Is.NaN);
    }

    [Test]
    public void Targets_that_are_no_column_and_rows_with_NaN_show_in_the_loss([Values(-1, 10)] long target)
    {
        Tensor logits = Normal([2, 10], 8, ScalarType.Float64), spoilt = logits.clone();
        spoilt[0, 3] = double.NaN;
        TestScope.Mode(OperatorMode.Kernels);
        Assert.That(CrossEntropy.Apply(logits, tensor(new[] { 0, target })).item<double>(), Is.NaN);
        Assert.That(CrossEntropy.Apply(spoilt, tensor(new long[] { 0, 1 })).item<double>(), Is.NaN);
    }

    private protected override Tensor[] Inputs(int rows, int width, ScalarType dtype) => [Normal([rows, width], 8, dtype) * 3];

    private protected override Tensor Apply(Tensor[] inputs) => CrossEntropy.Apply(inputs[0], Targets(inputs[0]));

    private protected override Tensor Absolute(Tensor[] inputs, Tensor[] at)
    {
        // m + ln S - x_target
        Tensor targets = Targets(at[0]), counts = targets.ne(CrossEntropy.Ignored), p = nn.functional.softmax(at[0], -1);
        Tensor top = at[0].amax([-1]), sum = (at[0].logsumexp(-1) - top).abs() + top.abs();
        Tensor wanted = inputs[0].gather(1, targets.clamp(min: 0).unsqueeze(1)).squeeze(1);
        Tensor losses = sum + (p * (inputs[0] - inputs[0].detach())).sum(-1) + wanted;
        return (losses * counts).sum() / counts.sum();
    }

    // One row in five does not count, and never the first.
    private static Tensor Targets(Tensor logits)
    {
        Tensor numbers = arange(logits.size(0), dtype: ScalarType.Int64), targets = (numbers * 7).remainder(logits.size(1));
        return targets.masked_fill(numbers.remainder(5).eq(3), CrossEntropy.Ignored).to(logits.device);
    }
}
