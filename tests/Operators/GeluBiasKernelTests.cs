using ChemScale.Engine.Operators;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of GELU with a bias.</summary>
public class GeluBiasKernelTests : OperatorKernelTests
{
    private protected override string[] Names => ["y", "x", "bias"];

    [Test]
    public void With_its_linear_layer_all_modes_agree()
    {
        Tensor x = Normal([40, 12], 1, ScalarType.Float64), weight = Normal([48, 12], 2, ScalarType.Float64);
        Tensor bias = Normal([48], 3, ScalarType.Float64);
        OperatorModes.Current = OperatorMode.Composed;
        Tensor expected = LinearGelu.Apply(x, weight, bias);
        foreach (OperatorMode mode in (OperatorMode[])[OperatorMode.Auto, OperatorMode.Host, OperatorMode.Kernels])
        {
            OperatorModes.Current = mode;
            Assert.That(Largest(LinearGelu.Apply(x, weight, bias) - expected), Is.LessThan(1e-13), $"{mode}");
        }
    }

    [Test]
    public void Far_from_zero_it_is_zero_or_the_identity([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        double[] points = [-1e6, -300, -40, 0, 40, 300, 1e6];
        Tensor x = tensor(points).to(dtype).view(1, -1).clone().requires_grad_(), bias = zeros(points.Length, dtype: dtype);
        OperatorModes.Current = OperatorMode.Kernels;
        Tensor y = LinearGelu.Activation(x, bias);
        y.sum().backward();
        Assert.That(y.to(ScalarType.Float64).data<double>().ToArray(), Is.EqualTo(new[] { 0, 0, 0, 0, 40, 300, 1e6 }).Within(1e-30));
        Assert.That(x.grad!.to(ScalarType.Float64).data<double>().ToArray(), Is.EqualTo(new[] { 0, 0, 0, 0.5, 1, 1, 1 }).Within(1e-20));
    }

    private protected override Tensor[] Inputs(int rows, int width, ScalarType dtype) =>
        [Normal([rows, width], 6, dtype) * 3, Normal([width], 7, dtype)];

    private protected override Tensor Apply(Tensor[] inputs) => LinearGelu.Activation(inputs[0], inputs[1]);

    private protected override double[] Terms(Tensor[] inputs, Tensor gradient) =>
        [Largest(inputs[0]) + Largest(inputs[1]), 2 * Largest(gradient), 2 * gradient.abs().sum([0L]).max().item<double>()];
}
