using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of SchNet's convolution against the composed and the chunked form: output, first and second derivatives.</summary>
public class ContinuousFilterKernelTests
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

    [TestCase(128, 20)]
    [TestCase(40, 7)]
    [TestCase(33, 50)]
    [TestCase(6, 1)]
    [TestCase(1, 4)]
    public void Float64_kernels_agree_with_both_other_forms(int filters, int radial)
    {
        // Isolated atoms at the start, the end and between; rows of one edge; rows that end within and at the end of a tile.
        using var problem = new FilterProblem([0, 17, 1, 0, 0, 32, 1, 63, 5, 40, 8, 0], filters, radial);
        Compare(problem, OperatorMode.Composed);
        Compare(problem, OperatorMode.Host);
    }

    [Test]
    public void More_edges_than_a_chunk_of_the_weights_gradients_holds_agree()
    {
        int[] degrees = [.. Enumerable.Range(0, 900).Select(i => i % 41)];
        using var problem = new FilterProblem(degrees, 8, 5);
        Assert.That(problem.Edges.Count, Is.GreaterThan(16384));
        Compare(problem, OperatorMode.Composed);
    }

    [Test]
    public void A_row_of_3000_neighbours_agrees()
    {
        using var problem = new FilterProblem([3, 3000, 2], 20, 6);
        Compare(problem, OperatorMode.Composed);
    }

    [TestCase(12, 5)]
    [TestCase(67, 3)]
    public void Full_warps_agree(int filters, int radial)
    {
        using var problem = new FilterProblem([2, 0, 35, 1], filters, radial);
        KernelTensors.Cpu = CpuDevice.Warps;
        Compare(problem, OperatorMode.Composed);
    }

    [Test]
    public void Atoms_without_edges_and_batches_without_atoms_get_zeros([Values(0, 3)] int atoms)
    {
        using var problem = new FilterProblem(new int[atoms], 4, 3);
        foreach (Tensor t in problem.Everything(OperatorMode.Kernels)) Assert.That(t.abs().sum().item<double>(), Is.Zero);
    }

    [TestCase(128, 20)]
    [TestCase(30, 50)]
    public void Float32_kernels_err_at_most_twice_as_much_as_composed_forms(int filters, int radial)
    {
        int[] degrees = [.. Enumerable.Range(0, 60).Select(i => i % 30)];
        using var exact = new FilterProblem(degrees, filters, radial);
        using FilterProblem single = exact.To(ScalarType.Float32);
        Tensor[] expected = exact.Everything(OperatorMode.Composed);
        Tensor[] composed = single.Everything(OperatorMode.Composed), kernels = single.Everything(OperatorMode.Kernels);
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Error(kernels[i]), allowed = Error(composed[i]);
            TestContext.Out.WriteLine($"{FilterProblem.Label(i)}: {error:e2}, composed {allowed:e2}");
            Assert.That(error, Is.LessThanOrEqualTo(2 * allowed), FilterProblem.Label(i));

            double Error(Tensor t) => (t.to(ScalarType.Float64) - expected[i]).square().mean().sqrt().item<double>();
        }
    }

    [Test]
    public void Derivatives_match_finite_differences()
    {
        using var problem = new FilterProblem([3, 0, 9, 1], 6, 3);
        OperatorModes.Current = OperatorMode.Kernels;
        Tensor[] at = [.. problem.Inputs, problem.Gradient], along = problem.Directions(at, 11), weights = problem.Directions(at, 12)[..3];
        for (int i = 0; i < at.Length; i++)
        {
            Tensor[] step = [.. along.Select((d, k) => k == i ? d : zeros_like(d))];
            (Tensor[] first, Tensor[] second) = Values(at, 0, step);
            (Tensor[] above, Tensor[] aboveSecond) = Values(at, 1e-5, step);
            (Tensor[] below, Tensor[] belowSecond) = Values(at, -1e-5, step);
            Check(above[0], below[0], first[1], $"first by {FilterProblem.Names[i]}");
            Check(aboveSecond[0], belowSecond[0], second[1], $"second by {FilterProblem.Names[i]}");
        }

        // S and S's derivative along fixed directions in h, phi, f, each with its own derivative along a step.
        (Tensor[] First, Tensor[] Second) Values(Tensor[] point, double size, Tensor[] step)
        {
            Tensor[] leaves = [.. point.Select((t, k) => (t + size * step[k]).detach().requires_grad_())];
            Tensor sum = (problem.Apply(leaves[..7]) * leaves[7]).sum();
            IList<Tensor> slopes = autograd.grad([sum], leaves, retain_graph: true, create_graph: true);
            Tensor slope = slopes.Take(3).Select((s, k) => (s * weights[k]).sum()).Aggregate((a, b) => a + b);
            IList<Tensor> bends = autograd.grad([slope], leaves);
            AutogradFunction.ThrowIfFailed();
            return ([sum, Along(slopes)], [slope, Along(bends)]);

            Tensor Along(IList<Tensor> gradients) => gradients.Select((s, k) => (s * step[k]).sum()).Aggregate((a, b) => a + b);
        }

        static void Check(Tensor above, Tensor below, Tensor derivative, string name)
        {
            double expected = (above - below).item<double>() / 2e-5, found = derivative.item<double>();
            Assert.That(found, Is.EqualTo(expected).Within(1e-7 * (1 + Math.Abs(expected))), name);
        }
    }

    [Test]
    public void Repeats_give_the_same_bits()
    {
        using FilterProblem problem = new FilterProblem([5, 0, 12, 3], 8, 4).To(ScalarType.Float32);
        double[] first = Bits();
        for (int i = 0; i < 250; i++) Assert.That(Bits(), Is.EqualTo(first));

        double[] Bits()
        {
            using DisposeScope repeat = NewDisposeScope();
            Tensor[] all = problem.Everything(OperatorMode.Kernels, trainingOnly: true);
            return [.. all.SelectMany(t => t.to(ScalarType.Float64).data<double>().ToArray())];
        }
    }

    [Test]
    public void Filters_too_wide_for_shared_memory_go_through_in_chunks()
    {
        using var problem = new FilterProblem([2, 1], 1024, 3);
        Assert.That(FilterLaunch.Fits(problem.Inputs[0], problem.Inputs[1]), Is.False);
        Compare(problem, OperatorMode.Composed);
    }

    private static void Compare(FilterProblem problem, OperatorMode mode)
    {
        Tensor[] found = problem.Everything(OperatorMode.Kernels), expected = problem.Everything(mode);
        double worst = 0;
        for (int i = 0; i < found.Length; i++)
        {
            double error = (found[i] - expected[i]).abs().max().item<double>(), size = expected[i].abs().max().item<double>();
            Assert.That(error, Is.LessThanOrEqualTo(1e-12 * size), FilterProblem.Label(i));
            if (size > 0) worst = Math.Max(worst, error / size);
        }
        TestContext.Out.WriteLine($"against {mode}: {worst:e2} of the largest value");
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);
    }
}
