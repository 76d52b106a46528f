using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of PaiNN's message against the composed form: outputs, first and second derivatives.</summary>
public class PaiNNMessageKernelTests
{
    private static readonly int[] Crowded = [3000, 1, 0, 7];

    // Isolated atoms, rows of one edge, rows of no whole tile.
    private static readonly int[] Uneven = [0, 1, 5, 9, 0, 2, 4, 1, 13, 3, 0];

    private DisposeScope scope = null!;
    private int scratch;

    [SetUp]
    public void Open()
    {
        scope = NewDisposeScope();
        scratch = PaiNNMessageLaunch.ScratchValues;
    }

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        OperatorModes.Current = OperatorMode.Auto;
        KernelTensors.Cpu = CpuDevice.Scalar;
        PaiNNMessageLaunch.ScratchValues = scratch;
    }

    [Test]
    public void Float64_kernels_agree_with_other_forms_on_asymmetric_edges(
        [Values(1, 8, 33)] int features, [Values(1, 21)] int radial, [Values] bool vectors)
    {
        using EdgeList edges = MessageCase.Random(1, Uneven);
        PaiNNMessageLaunch.ScratchValues = 1000;
        Agree(new MessageCase(edges, features, radial, vectors));
    }

    [Test]
    public void Float64_kernels_agree_on_edges_that_know_their_reverse([Values] bool vectors)
    {
        using EdgeList edges = MessageCase.Complete(9);
        Assert.That(edges.BySender.Edges.data<long>().ToArray(), Is.EqualTo(edges.ReverseEdges!.data<long>().ToArray()));
        Agree(new MessageCase(edges, 12, 21, vectors));
    }

    [Test]
    public void Float64_kernels_agree_on_a_row_of_3000_edges()
    {
        using EdgeList edges = MessageCase.Random(2, Crowded);
        Agree(new MessageCase(edges, 8, 21, true));
    }

    [Test]
    public void Float64_kernels_agree_without_edges_and_without_atoms([Values(0, 3)] int atoms)
    {
        using EdgeList edges = MessageCase.Random(1, new int[atoms]);
        Agree(new MessageCase(edges, 8, 5, true));
    }

    // Enough packs for four lanes an edge, and for a warp.
    [Test]
    public void Full_warps_agree([Values(5, 8, 18, 64)] int features, [Values] bool vectors)
    {
        KernelTensors.Cpu = CpuDevice.Warps;
        using EdgeList edges = MessageCase.Random(3, 0, 1, 6, 3);
        Agree(new MessageCase(edges, features, 4, vectors));
    }

    [Test]
    public void Float32_errors_are_at_most_twice_the_composed_ones([Values(7, 64)] int features)
    {
        using EdgeList edges = MessageCase.Random(4, [.. Enumerable.Range(0, 60).Select(i => i % 40)]);
        var message = new MessageCase(edges, features, 21, true);
        Tensor?[] single = message.Values(5, ScalarType.Float32), wide = [.. single.Select(t => t?.to(ScalarType.Float64))];
        var exact = message.Everything(OperatorMode.Composed, wide);
        var kernels = message.Everything(OperatorMode.Kernels, single);
        var composed = message.Everything(OperatorMode.Composed, single);
        for (int i = 0; i < exact.Count; i++)
        {
            double found = Error(kernels[i].Values, exact[i].Values), usual = Error(composed[i].Values, exact[i].Values);
            TestContext.Out.WriteLine($"{exact[i].Name}: {found:e2}, composed {usual:e2}");
            Assert.That(found, Is.LessThanOrEqualTo(2 * usual), exact[i].Name);
        }

        static double Error(Tensor values, Tensor exact) =>
            (values.to(ScalarType.Float64) - exact).norm().item<double>() / exact.norm().item<double>();
    }

    [Test]
    public void First_and_second_derivatives_match_finite_differences([Values] bool vectors)
    {
        using EdgeList edges = MessageCase.Random(6, 2, 0, 5, 1);
        var message = new MessageCase(edges, 4, 3, vectors);
        Tensor?[] at = message.Values(1), towards = message.Values(2);
        const double step = 1e-4;
        var here = message.Everything(OperatorMode.Kernels, at).ToDictionary(v => v.Name, v => v.Values);
        double first = 0, second = 0;
        foreach (double sign in (double[])[1, -1])
        {
            Tensor?[] moved = [.. at.Select((t, i) => i < 7 ? t is null ? null : t + sign * step * towards[i]! : t)];
            var there = message.Everything(OperatorMode.Kernels, moved).ToDictionary(v => v.Name, v => v.Values);
            first += sign * (Dot(there["dq"], at[5]) + Dot(there["dmu"], at[6])) / (2 * step);
            second += sign * (Dot(there["by x"], at[7]) + Dot(there.GetValueOrDefault("by mu"), at[8]) + Dot(there["by u"], at[9])
                + Dot(there["by R"], at[10])) / (2 * step);
        }
        string[] names = ["x", "mu", "u", "R", "G", "dq gradient", "dmu gradient"];
        double expectedFirst = names.Take(5).Select((name, i) => Dot(here.GetValueOrDefault("by " + name), towards[i])).Sum();
        double expectedSecond = names.Select((name, i) => Dot(here.GetValueOrDefault("second by " + name), towards[i])).Sum();
        Assert.That(first, Is.EqualTo(expectedFirst).Within(1e-6 * Math.Abs(expectedFirst)));
        Assert.That(second, Is.EqualTo(expectedSecond).Within(1e-6 * Math.Abs(expectedSecond)));

        static double Dot(Tensor? a, Tensor? b) => a is null ? 0 : (a * b!).sum().item<double>();
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit()
    {
        using EdgeList edges = MessageCase.Random(7, Uneven);
        var message = new MessageCase(edges, 8, 5, true);
        Tensor?[] values = message.Values(1, ScalarType.Float32);
        var first = message.Everything(OperatorMode.Kernels, values);
        int live = AutogradFunction.LiveNodes;
        for (int repeat = 0; repeat < 250; repeat++)
        {
            using DisposeScope step = NewDisposeScope();
            var again = message.Everything(OperatorMode.Kernels, values);
            for (int i = 0; i < first.Count; i++) Assert.That(again[i].Values.equal(first[i].Values).all().item<bool>(), first[i].Name);
        }
        Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(live));
    }

    /// <summary>To 1e-12 of the sum of absolute terms, which the composed form makes of absolute values.</summary>
    private static void Agree(MessageCase message)
    {
        Tensor?[] values = message.Values(5);
        double worst = 0;
        foreach (bool alongFilter in (bool[])[false, true])
        {
            var kernels = message.Everything(OperatorMode.Kernels, values, alongFilter);
            var composed = message.Everything(OperatorMode.Composed, values, alongFilter);
            var host = message.Everything(OperatorMode.Host, values, alongFilter);
            var sizes = message.Everything(OperatorMode.Composed, [.. values.Select(t => t?.abs())], alongFilter);
            for (int i = 0; i < kernels.Count; i++)
            {
                if (sizes[i].Values.numel() == 0) continue;
                Tensor size = sizes[i].Values + 1e-300;
                double error = ((kernels[i].Values - composed[i].Values).abs() / size).max().item<double>();
                double fromHost = ((kernels[i].Values - host[i].Values).abs() / size).max().item<double>();
                worst = Math.Max(worst, Math.Max(error, fromHost));
                Assert.That(error, Is.LessThanOrEqualTo(1e-12), kernels[i].Name);
                Assert.That(fromHost, Is.LessThanOrEqualTo(1e-12), kernels[i].Name + ", from the host form");
            }
        }
        TestContext.Out.WriteLine($"largest error {worst:e2} of the sum of absolute terms");
    }
}
