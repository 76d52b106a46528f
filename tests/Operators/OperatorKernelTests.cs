using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>What an operation's kernels with first derivatives must hold to, against its composed form.</summary>
public abstract class OperatorKernelTests
{
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
    public void Float64_kernels_agree_with_the_composed_form([Values(1, 33, 1_000)] int rows, [Values(1, 16, 100, 128)] int width) =>
        AgreesInFloat64(rows, width);

    [Test]
    public void Long_batches_agree_with_the_composed_form() => AgreesInFloat64(9_001, 20);

    [Test]
    public void Full_warps_agree_with_the_composed_form([Values(1, 37)] int rows, [Values(1, 16, 100, 128)] int width)
    {
        KernelTensors.Cpu = CpuDevice.Warps;
        AgreesInFloat64(rows, width);
    }

    [Test]
    public void Float32_errors_are_at_most_twice_those_of_the_composed_form([Values(592, 5_000)] int rows, [Values(100, 128)] int width)
    {
        const double Ulp = 1.0 / (1 << 23);
        Tensor[] inputs = Inputs(rows, width, ScalarType.Float32);
        Tensor[] exact = Everything(OperatorMode.Composed, [.. inputs.Select(t => t.to(ScalarType.Float64))]);
        Tensor[] composed = Everything(OperatorMode.Composed, inputs), kernels = Everything(OperatorMode.Kernels, inputs);
        for (int i = 0; i < exact.Length; i++)
        {
            double floor = Ulp * Largest(exact[i]);
            double ours = RootMeanSquare(kernels[i] - exact[i]), theirs = RootMeanSquare(composed[i] - exact[i]);
            TestContext.Out.WriteLine($"{Name(i),-20} rms error {ours:e2}, composed {theirs:e2}");
            Assert.That(ours, Is.LessThanOrEqualTo(2 * theirs + floor), Name(i));
            ours = Largest(kernels[i] - exact[i]);
            theirs = Largest(composed[i] - exact[i]);
            Assert.That(ours, Is.LessThanOrEqualTo(2 * theirs + floor), Name(i));
        }
    }

    [Test]
    public void Gradients_match_finite_differences([Values(1, 16, 100)] int width)
    {
        const double H = 1e-5;
        Tensor[] inputs = Inputs(9, width, ScalarType.Float64);
        Tensor[] analytic = Everything(OperatorMode.Kernels, inputs), probes = [.. inputs.Select((t, i) => Probe(t, 20 + i))];
        Tensor ahead = Apply([.. inputs.Select((t, i) => t + H * probes[i])]);
        Tensor behind = Apply([.. inputs.Select((t, i) => t - H * probes[i])]);
        double measured = ((ahead - behind) * Probe(ahead, 1)).sum().item<double>() / (2 * H);
        double expected = 0, terms = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            expected += (analytic[i + 1] * probes[i]).sum().item<double>();
            terms += (analytic[i + 1] * probes[i]).abs().sum().item<double>();
        }
        Assert.That(measured, Is.EqualTo(expected).Within(1e-7 * Math.Max(terms, 1)));
    }

    [Test]
    public void An_empty_batch_is_as_composed([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        Tensor[] inputs = Inputs(0, 16, dtype);
        Tensor[] kernels = Everything(OperatorMode.Kernels, inputs), composed = Everything(OperatorMode.Composed, inputs);
        for (int i = 0; i < kernels.Length; i++)
        {
            Assert.That(kernels[i].shape, Is.EqualTo(composed[i].shape), Name(i));
            Assert.That(kernels[i].allclose(composed[i], equal_nan: true), Name(i));
        }
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool warps)
    {
        if (warps) KernelTensors.Cpu = CpuDevice.Warps;
        Tensor[] inputs = Inputs(warps ? 37 : 100, 16, ScalarType.Float32);
        Tensor[] once = Everything(OperatorMode.Kernels, inputs);
        for (int repeat = 0; repeat < (warps ? 25 : 250); repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor[] again = Everything(OperatorMode.Kernels, inputs);
            for (int i = 0; i < once.Length; i++) Assert.That(again[i].Equals(once[i]), Name(i));
        }
    }

    [Test]
    public void Second_derivatives_are_those_of_the_composed_form()
    {
        Tensor[] inputs = Inputs(10, 16, ScalarType.Float64);
        Tensor[] kernels = Second(OperatorMode.Kernels), composed = Second(OperatorMode.Composed);
        for (int i = 0; i < kernels.Length; i++)
            Assert.That(Largest(kernels[i] - composed[i]), Is.LessThanOrEqualTo(1e-11 * Math.Max(1, Largest(composed[i]))), Name(i + 1));

        Tensor[] Second(OperatorMode mode)
        {
            OperatorModes.Current = mode;
            Tensor[] leaves = [.. inputs.Select(t => t.clone().requires_grad_())];
            Tensor y = Apply(leaves);
            IList<Tensor> first = autograd.grad([y.square().sum()], leaves, retain_graph: true, create_graph: true);
            Tensor sum = first.Select(g => g.square().sum()).Aggregate((a, b) => a + b);
            IList<Tensor> second = autograd.grad([sum], leaves);
            AutogradFunction.ThrowIfFailed();
            return [.. second];
        }
    }

    [Test]
    [Category("Gpu")]
    public void Devices_agree_with_the_composed_form(
        [Values(1, 592)] int rows, [Values(1, 100, 128)] int width, [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        if (!cuda.is_available()) Assert.Ignore("no CUDA device");
        Tensor[] inputs = Inputs(rows, width, dtype), wide = [.. inputs.Select(t => t.to(ScalarType.Float64))];
        Tensor[] kernels = Everything(OperatorMode.Auto, [.. inputs.Select(t => t.cuda())]);
        Tensor[] exact = Everything(OperatorMode.Composed, wide);
        double[] terms = Terms(wide, Probe(exact[0], 1));
        double tolerance = dtype == ScalarType.Float64 ? 1e-12 : 1e-5;
        for (int i = 0; i < exact.Length; i++)
            Assert.That(Largest(kernels[i].cpu().to(ScalarType.Float64) - exact[i]), Is.LessThanOrEqualTo(tolerance * terms[i]), Name(i));
    }

    /// <summary>All are differentiated; numbers that float32 holds exactly.</summary>
    private protected abstract Tensor[] Inputs(int rows, int width, ScalarType dtype);

    private protected abstract Tensor Apply(Tensor[] inputs);

    /// <summary>For the output and each gradient, the most that the terms of one number add up to in absolute value.</summary>
    private protected abstract double[] Terms(Tensor[] inputs, Tensor gradient);

    /// <summary>Of the output, then of each input.</summary>
    private protected abstract string[] Names { get; }

    /// <summary>Normal numbers that float32 holds exactly.</summary>
    private protected static Tensor Normal(long[] shape, int seed, ScalarType dtype)
    {
        using Generator generator = new((ulong)seed);
        return randn(shape, dtype: ScalarType.Float32, generator: generator).to(dtype);
    }

    private protected static double Largest(Tensor t) => t.numel() == 0 ? 0 : t.abs().max().to(ScalarType.Float64).item<double>();

    /// <summary>The output, and the gradients of its random sum.</summary>
    private protected Tensor[] Everything(OperatorMode mode, Tensor[] inputs)
    {
        OperatorModes.Current = mode;
        Tensor[] leaves = [.. inputs.Select(t => t.detach().clone().requires_grad_())];
        Tensor output = Apply(leaves);
        IList<Tensor> gradients = autograd.grad([output], leaves, [Probe(output, 1)]);
        AutogradFunction.ThrowIfFailed();
        return [output.detach(), .. gradients];
    }

    private static Tensor Probe(Tensor like, int seed) => Normal(like.shape, seed, like.dtype).to(like.device);

    private static double RootMeanSquare(Tensor t) => t.to(ScalarType.Float64).square().mean().sqrt().item<double>();

    private string Name(int i) => i == 0 ? Names[0] : $"gradient by {Names[i]}";

    private void AgreesInFloat64(int rows, int width)
    {
        Tensor[] inputs = Inputs(rows, width, ScalarType.Float64);
        Tensor[] kernels = Everything(OperatorMode.Kernels, inputs), composed = Everything(OperatorMode.Composed, inputs);
        double[] terms = Terms(inputs, Probe(composed[0], 1));
        for (int i = 0; i < kernels.Length; i++)
        {
            Assert.That(kernels[i].shape, Is.EqualTo(composed[i].shape), Name(i));
            Assert.That(Largest(kernels[i] - composed[i]), Is.LessThanOrEqualTo(1e-12 * terms[i]), Name(i));
        }
    }
}
