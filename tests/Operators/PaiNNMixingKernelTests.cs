using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of PaiNN's mixing against the composed forms: outputs, first and second derivatives.</summary>
public class PaiNNMixingKernelTests
{
    private const double Epsilon = 1e-2;

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
    public void Float64_kernels_agree_with_composed_forms([Values] bool update, [Values(1, 6, 8, 33)] int features,
        [Values(0, 1, 50)] int atoms) =>
        Agree(update, features, atoms);

    [Test]
    public void Full_warps_agree([Values] bool update, [Values(5, 8)] int features)
    {
        KernelTensors.Cpu = CpuDevice.Warps;
        Agree(update, features, 4);
    }

    [Test]
    public void Float32_errors_are_at_most_twice_the_composed_ones([Values] bool update)
    {
        Tensor[] single = [.. Inputs(update, 32, 100).Select(t => t.to(ScalarType.Float32))],
            wide = [.. single.Select(t => t.to(ScalarType.Float64))];
        IReadOnlyList<Tensor> exact = Everything(OperatorMode.Composed, update, wide);
        IReadOnlyList<Tensor> kernels = Everything(OperatorMode.Kernels, update, single),
            composed = Everything(OperatorMode.Composed, update, single);
        for (int i = 0; i < exact.Count; i++)
        {
            double found = Error(kernels[i], exact[i]), usual = Error(composed[i], exact[i]);
            TestContext.Out.WriteLine($"{i}: {found:e2}, composed {usual:e2}");
            Assert.That(found, Is.LessThanOrEqualTo(2 * usual), $"value {i}");
        }

        static double Error(Tensor values, Tensor exact) => (values.to(ScalarType.Float64) - exact).norm().item<double>();
    }

    [Test]
    public void First_and_second_derivatives_match_finite_differences([Values] bool update)
    {
        Tensor[] at = Inputs(update, 4, 3), towards = Inputs(update, 4, 3, 2);
        int inputs = update ? 5 : 1;
        const double step = 1e-5;
        IReadOnlyList<Tensor> here = Everything(OperatorMode.Kernels, update, at);
        double first = 0, second = 0;
        foreach (double sign in (double[])[1, -1])
        {
            Tensor[] moved = [.. at.Select((t, i) => i < inputs + 2 ? t + sign * step * towards[i] : t)];
            IReadOnlyList<Tensor> there = Everything(OperatorMode.Kernels, update, moved);
            first += sign * (Dot(there[0], at[inputs]) + Dot(there[1], at[inputs + 1])) / (2 * step);
            second += sign * Enumerable.Range(0, inputs).Sum(i => Dot(there[2 + i], at[inputs + 2 + i])) / (2 * step);
        }
        double expectedFirst = Enumerable.Range(0, inputs).Sum(i => Dot(here[2 + i], towards[i]));
        double expectedSecond = Enumerable.Range(0, inputs + 2).Sum(i => Dot(here[2 + inputs + i], towards[i]));
        Assert.That(first, Is.EqualTo(expectedFirst).Within(1e-6 * Math.Abs(expectedFirst)));
        Assert.That(second, Is.EqualTo(expectedSecond).Within(1e-6 * Math.Abs(expectedSecond)));

        static double Dot(Tensor a, Tensor b) => (a * b).sum().item<double>();
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool update)
    {
        Tensor[] values = [.. Inputs(update, 8, 10).Select(t => t.to(ScalarType.Float32))];
        IReadOnlyList<Tensor> first = Everything(OperatorMode.Kernels, update, values);
        int live = AutogradFunction.LiveNodes;
        for (int repeat = 0; repeat < 250; repeat++)
        {
            using DisposeScope step = NewDisposeScope();
            IReadOnlyList<Tensor> again = Everything(OperatorMode.Kernels, update, values);
            for (int i = 0; i < first.Count; i++) Assert.That(again[i].equal(first[i]).all().item<bool>(), $"value {i}");
        }
        Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(live));
    }

    private static void Agree(bool update, int features, int atoms)
    {
        Tensor[] values = Inputs(update, features, atoms);
        IReadOnlyList<Tensor> kernels = Everything(OperatorMode.Kernels, update, values),
            composed = Everything(OperatorMode.Composed, update, values);
        double worst = 0;
        for (int i = 0; i < kernels.Count && atoms > 0; i++)
        {
            double error = (kernels[i] - composed[i]).abs().max().item<double>(), size = composed[i].abs().max().item<double>();
            Assert.That(error, Is.LessThanOrEqualTo(1e-12 * Math.Max(1, size)), $"value {i}");
            worst = Math.Max(worst, error / Math.Max(1, size));
        }
        TestContext.Out.WriteLine($"largest error {worst:e2}");
    }

    /// <summary>The operation's inputs, the gradients of its two results, and cotangents of the gradients by the inputs.</summary>
    private static Tensor[] Inputs(bool update, int features, int atoms, int seed = 1)
    {
        using Generator generator = new((ulong)seed);
        Tensor mixed = Make(atoms, 3, 2 * features), h = Make(atoms, features);
        Tensor[] inputs = update ? [Make(atoms, features), Make(atoms, 3, features), Make(atoms, 3 * features), Make(atoms, features),
            mixed] : [mixed];
        return [.. inputs, h, update ? Make(atoms, 3, features) : Make(atoms, features), .. inputs.Select(t => Make(t.shape))];

        Tensor Make(params long[] shape) => randn(shape, dtype: ScalarType.Float64, generator: generator);
    }

    /// <summary>Two results, gradients by the inputs, and the gradients of those by the inputs and by the results' gradients.</summary>
    private static IReadOnlyList<Tensor> Everything(OperatorMode mode, bool update, Tensor[] values)
    {
        OperatorModes.Current = mode;
        int inputs = update ? 5 : 1;
        Tensor[] leaves = [.. values.Take(inputs + 2).Select(t => t.clone().requires_grad_())];
        (Tensor first, Tensor second) = update
            ? PaiNNUpdate.Apply(leaves[0], leaves[1], leaves[2], leaves[3], leaves[4])
            : PaiNNInvariants.Apply(leaves[0], Epsilon);
        IList<Tensor> gradients = autograd.grad([first, second], leaves[..inputs], leaves[inputs..], true, true);
        AutogradFunction.ThrowIfFailed();
        IList<Tensor> again = autograd.grad([.. gradients], leaves, [.. values.Skip(inputs + 2)], allow_unused: true);
        AutogradFunction.ThrowIfFailed();
        return
        [
            first.detach(), second.detach(), .. gradients.Select(g => g.detach()),
            .. again.Select((g, i) => g is { IsInvalid: false } ? g : zeros_like(leaves[i])),
        ];
    }
}
