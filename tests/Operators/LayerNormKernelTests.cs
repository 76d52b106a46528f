using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The layer norm's kernels.</summary>
public class LayerNormKernelTests : OperatorKernelTests
{
    private const double Epsilon = 1e-5;

    private protected override string[] Names => ["y", "x", "weight", "bias"];

    [Test]
    public void Leading_dimensions_and_strides_make_no_difference()
    {
        Tensor[] inputs = Inputs(24, 16, ScalarType.Float64);
        TestScope.Mode(OperatorMode.Kernels);
        Tensor rows = Apply(inputs), folded = Apply([inputs[0].view(4, 6, 16), inputs[1], inputs[2]]);
        Tensor strided = Apply([inputs[0].t().contiguous().t(), inputs[1], inputs[2]]);
        Assert.That(folded.view(24, 16).Equals(rows) && strided.Equals(rows));
    }

    [Test]
    public void A_large_mean_does_not_spoil_the_variance()
    {
        Tensor[] inputs = Inputs(50, 128, ScalarType.Float32);
        inputs[0] = inputs[0] + 4096;
        Tensor[] exact = Everything(OperatorMode.Composed, [.. inputs.Select(t => t.to(ScalarType.Float64))]);
        Tensor[] composed = Everything(OperatorMode.Composed, inputs), kernels = Everything(OperatorMode.Kernels, inputs);
        Expect.Close(kernels[0].to(ScalarType.Float64), exact[0], absolute: 2 * Largest(composed[0] - exact[0]));
    }

    private protected override Tensor[] Inputs(int rows, int width, ScalarType dtype) =>
        [Normal([rows, width], 3, dtype) * 2 + 0.5, Normal([width], 4, dtype) + 1, Normal([width], 5, dtype)];

    private protected override Tensor Apply(Tensor[] inputs) => LayerNorm.Apply(inputs[0], inputs[1], inputs[2], Epsilon);

    private protected override Tensor Absolute(Tensor[] inputs, Tensor[] at)
    {
        Tensor variance = at[0].var(-1, unbiased: false, keepdim: true), inverse = (variance + Epsilon).rsqrt();
        Tensor differences = inputs[0] + inputs[0].mean([-1], keepdim: true);
        Tensor scale = AbsoluteTerms.Function(differences.square().mean([-1], keepdim: true), inverse, inverse.pow(3) / 2);
        return differences * scale * inputs[1] + inputs[2];
    }
}
