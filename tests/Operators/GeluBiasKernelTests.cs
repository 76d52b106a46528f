using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
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
        TestScope.Mode(OperatorMode.Composed);
        Tensor expected = LinearGelu.Apply(x, weight, bias);
        foreach (OperatorMode mode in (OperatorMode[])[OperatorMode.Auto, OperatorMode.Host, OperatorMode.Kernels])
        {
            TestScope.Mode(mode);
            Expect.Close(LinearGelu.Apply(x, weight, bias), expected, absolute: 1e-13, message: $"{mode}");
        }
    }

    [Test]
    public void Far_from_zero_it_is_zero_or_the_identity([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        double[] points = [-1e6, -300, -40, 0, 40, 300, 1e6];
        Tensor x = tensor(points).to(dtype).view(1, -1).clone().requires_grad_(), bias = zeros(points.Length, dtype: dtype);
        TestScope.Mode(OperatorMode.Kernels);
        Tensor y = LinearGelu.Activation(x, bias);
        Gradients.Backward(y.sum());
        Expect.Close(y.to(ScalarType.Float64).data<double>().ToArray(), new[] { 0, 0, 0, 0, 40, 300, 1e6 }, absolute: 1e-30);
        Expect.Close(x.grad!.to(ScalarType.Float64).data<double>().ToArray(), new[] { 0, 0, 0, 0.5, 1, 1, 1 }, absolute: 1e-20);
    }

    private protected override Tensor[] Inputs(int rows, int width, ScalarType dtype) =>
        [Normal([rows, width], 6, dtype) * 3, Normal([width], 7, dtype)];

    private protected override Tensor Apply(Tensor[] inputs) => LinearGelu.Activation(inputs[0], inputs[1]);

    private protected override Tensor Absolute(Tensor[] inputs, Tensor[] at)
    {
        // v/2 (1 + t), t = tanh(u/2)
        Tensor sum = inputs[0] + inputs[1], v = at[0] + at[1], half = Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v.pow(3)), t = half.tanh();
        Tensor slope = Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v.square()), one = (1 + t.abs()) / 2;
        return AbsoluteTerms.Function(sum, sum.detach() * one, one + sum.detach() / 2 * (1 + t.square()) * slope);
    }
}
