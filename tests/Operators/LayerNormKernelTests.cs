using ChemScale.Engine.Operators;
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
        OperatorModes.Current = OperatorMode.Kernels;
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
        Assert.That(Largest(kernels[0] - exact[0]), Is.LessThanOrEqualTo(2 * Largest(composed[0] - exact[0])));
    }

    private protected override Tensor[] Inputs(int rows, int width, ScalarType dtype) =>
        [Normal([rows, width], 3, dtype) * 2 + 0.5, Normal([width], 4, dtype) + 1, Normal([width], 5, dtype)];

    private protected override Tensor Apply(Tensor[] inputs) => LayerNorm.Apply(inputs[0], inputs[1], inputs[2], Epsilon);

    private protected override double[] Terms(Tensor[] inputs, Tensor gradient)
    {
        // A row of one number has variance zero: its inverse is 1 / sqrt(epsilon), its normalised values none but rounding.
        Tensor variance = (inputs[0] - inputs[0].mean([-1], keepdim: true)).square().mean([-1]);
        double inverse = Largest((variance + Epsilon).rsqrt());
        double normal = Math.Max(1, inverse * Largest(inputs[0])), weight = Largest(inputs[1]), g = Largest(gradient);
        double sums = gradient.abs().sum([0L]).max().item<double>();
        return [normal * weight + Largest(inputs[2]), g * weight * inverse * (2 + normal), sums * normal, sums];
    }
}
