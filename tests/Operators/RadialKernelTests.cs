using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The radial kernels against the composed form: outputs, first and second derivatives.</summary>
public class RadialKernelTests
{
    private const double Cutoff = 5;

    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        OperatorModes.Current = OperatorMode.Auto;
        KernelTensors.Cpu = CpuDevice.Scalar;
    }

    [Test]
    public void Float64_kernels_agree_with_composed_forms([Values] bool gaussian, [Values(0, 2, 6)] int power, [Values(1, 4, 7, 20)] int count)
    {
        RadialFunctions functions = Functions(gaussian, power, count, ScalarType.Float64);
        Tensor vectors = Vectors(200, 3);
        Tensor[] kernels = Everything(OperatorMode.Kernels, vectors, functions), composed = Everything(OperatorMode.Composed, vectors, functions);
        for (int i = 0; i < kernels.Length; i++)
        {
            double error = (kernels[i] - composed[i]).abs().max().item<double>(), size = composed[i].abs().max().item<double>();
            TestContext.Out.WriteLine($"{Names[i]}: {error:e2} of {size:e2}");
            Assert.That(error, Is.LessThanOrEqualTo(1e-12 * size), Names[i]);
        }
    }

    private static readonly string[] Names =
    [
        "distances", "directions", "envelope", "radial", "gradient", "second by vectors", "second by distances", "second by directions",
        "second by envelope", "second by radial",
    ];

    /// <summary>The four outputs; the gradient of their random sum; the gradients of a random sum of that.</summary>
    private static Tensor[] Everything(OperatorMode mode, Tensor vectors, RadialFunctions functions)
    {
        OperatorModes.Current = mode;
        using Generator generator = new(5);
        Tensor leaf = vectors.clone().requires_grad_();
        (Tensor distances, Tensor directions, Tensor envelope, Tensor radial) = RadialBasisCutoff.Of(leaf, functions);
        Tensor[] outputs = [distances, directions, envelope, radial];
        Tensor[] gradients = [.. outputs.Select(o => Random(o).requires_grad_())];
        Tensor first = autograd.grad(outputs, [leaf], gradients, retain_graph: true, create_graph: true)[0];
        IList<Tensor> second = autograd.grad([first], [leaf, .. gradients], [Random(first)]);
        AutogradFunction.ThrowIfFailed();
        return [.. outputs.Append(first).Select(t => t.detach()), .. second];

        Tensor Random(Tensor like) => randn(like.shape, dtype: ScalarType.Float64, generator: generator).to(like.dtype);
    }

    private static RadialFunctions Functions(bool gaussian, int power, int count, ScalarType dtype)
    {
        double[] centers = [.. Enumerable.Range(0, count).Select(k => gaussian ? k * Cutoff / count : (k + 1) * Math.PI / Cutoff)];
        double[] exponents = [.. centers.Select(_ => -0.5 * Math.Pow(count / Cutoff, 2))];
        return new RadialFunctions(tensor(centers, dtype: dtype), gaussian ? tensor(exponents, dtype: dtype) : null, Cutoff, power);
    }

    /// <summary>Lengths up to 1.2 times the cutoff.</summary>
    private static Tensor Vectors(int count, int seed)
    {
        using Generator generator = new((ulong)seed);
        Tensor directions = randn(count, 3, dtype: ScalarType.Float64, generator: generator);
        Tensor lengths = linspace(0.2, 1.2 * Cutoff, count, dtype: ScalarType.Float64).view(-1, 1);
        return directions / directions.norm(1, keepdim: true) * lengths;
    }
}
