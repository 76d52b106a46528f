using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class GeluTests
{
    [TearDown]
    public void Reset() => TestScope.Reset();

    [Test]
    public void Host_and_composed_forms_agree(
        [Values(1, 7, 16, 8192, 20_001)] int count, [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using Generator generator = new(5);
        Tensor x = randn(count, dtype: ScalarType.Float64, generator: generator) * 4, probe = randn(count, dtype: ScalarType.Float64, generator: generator);
        (Tensor expected, Tensor expectedGradient) = Run(OperatorMode.Composed, ScalarType.Float64);
        (Tensor y, Tensor gradient) = Run(OperatorMode.Host, dtype);
        double tolerance = dtype == ScalarType.Float64 ? 1e-14 : 2e-6;
        Expect.Close(y, expected, absolute: tolerance * 10);
        Expect.Close(gradient, expectedGradient, absolute: tolerance * 10);

        (Tensor, Tensor) Run(OperatorMode mode, ScalarType type)
        {
            TestScope.Mode(mode);
            Tensor leaf = x.to(type).clone().requires_grad_();
            Tensor output = Gelu.Apply(leaf);
            Gradients.Backward((output * probe.to(type)).sum());
            return (output.detach().to(ScalarType.Float64), leaf.grad!.to(ScalarType.Float64));
        }
    }

    [Test]
    public void Far_from_zero_it_is_zero_or_the_identity([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        TestScope.Mode(OperatorMode.Host);
        Tensor x = tensor(new[] { -1e6, -300, -40, 0, 40, 300, 1e6 }).to(dtype).clone().requires_grad_();
        Tensor y = Gelu.Apply(x);
        Gradients.Backward(y.sum());
        Expect.Close(y.to(ScalarType.Float64).data<double>().ToArray(), new[] { 0, 0, 0, 0, 40, 300, 1e6 }, absolute: 1e-30);
        Expect.Close(x.grad!.to(ScalarType.Float64).data<double>().ToArray(), new[] { 0, 0, 0, 0.5, 1, 1, 1 }, absolute: 1e-20);
    }

    [Test]
    public void Second_derivatives_equal_the_composed_ones()
    {
        using var scope = NewDisposeScope();
        Tensor x = linspace(-3, 3, 20, dtype: ScalarType.Float64);
        Expect.Close(Second(OperatorMode.Host), Second(OperatorMode.Composed), absolute: 1e-12);

        Tensor Second(OperatorMode mode)
        {
            TestScope.Mode(mode);
            Tensor leaf = x.clone().requires_grad_();
            Tensor first = Gradients.Of([Gelu.Apply(leaf).pow(2).sum()], [leaf], retainGraph: true, createGraph: true)[0];
            Tensor second = Gradients.Of([first.sum()], [leaf])[0];
            return second;
        }
    }
}
